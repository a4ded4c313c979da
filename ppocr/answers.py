"""Checks the values of a network's answer, so that invalid results of a predictor never become text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ppocr.contract import (
    DETECTION,
    LINE_ORIENTATION,
    PAGE_ORIENTATION,
    RECOGNITION,
    Answer,
    Items,
    NetworkFacts,
)
from ppocr_api.errors import BadAnswer

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A probability that was computed with 8 bits of precision may be rounded to a little more than 1.
MOST_PROBABLE = 1.01
#: Names of the outputs that hold class numbers and probabilities, by task.
_CLASSES = {PAGE_ORIENTATION: "label", LINE_ORIENTATION: "label", RECOGNITION: "ids"}
_PROBABILITIES = {PAGE_ORIENTATION: "probability", LINE_ORIENTATION: "probability", RECOGNITION: "probabilities"}


def check(network: NetworkFacts, items: Items, answer: Answer) -> None:
    """Raises BadAnswer for an answer that the network, which must be that of the answer's version, can't have given.

    It is checked how many elements each item has, that classes have a label, and that probabilities are some.
    """
    if len(answer.counts) != len(items) or not _lengths_fit(network, items, answer.counts.astype(np.int64)):
        raise BadAnswer(f"the predictor's answer of {network.name} hasn't the length of what it was asked")
    if network.task in _CLASSES:
        classes = _output(network, answer, _CLASSES[network.task])
        if len(classes) and not 0 <= int(classes.min()) <= int(classes.max()) < len(network.labels):
            raise BadAnswer(f"the predictor's answer of {network.name} has classes without a label")
        probabilities = _output(network, answer, _PROBABILITIES[network.task])
        # NaN is in no range.
        if not ((probabilities >= 0) & (probabilities <= MOST_PROBABLE)).all():
            raise BadAnswer(f"the predictor's answer of {network.name} has probabilities outside of 0 to 1")


def _lengths_fit(network: NetworkFacts, items: Items, counts: NDArray[np.int64]) -> bool:
    sizes = items.sizes.astype(np.int64)
    if network.task == DETECTION:
        return bool((counts == sizes[:, 0] * sizes[:, 1]).all())
    if network.task in (PAGE_ORIENTATION, LINE_ORIENTATION):
        return bool((counts == 1).all())
    if network.task == RECOGNITION:
        widths, stride = sizes[:, 1], network.parameters.get("stride")
        if not stride:
            return bool((counts <= widths).all())
        # A network rounds at its edges, and the stride itself is a rounded number.
        return bool((np.abs(counts * stride - widths) <= 2 * stride + widths // 10).all())
    return True


def _output(network: NetworkFacts, answer: Answer, name: str) -> NDArray[Any]:
    found = answer.outputs.get(name)
    if found is None:
        raise BadAnswer(f"the predictor's answer of {network.name} lacks the output {name}")
    return found
