"""Shared by the two orientation stages: the angle of each item, and whether the network is sure of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import Answer, NetworkFacts
from ppocr_api.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import I32

    Flags = NDArray[np.bool_]


def angles(network: NetworkFacts, answer: Answer, known: tuple[int, ...]) -> tuple[I32, Flags]:
    """Degrees clockwise by which each item is turned (I32 [N]), and whether the network's probability of it reaches its
    threshold (bool [N]).

    `known` are the angles that the stage can undo.
    """
    try:
        of_label = [int(label) for label in network.labels]
    except ValueError:
        of_label = []
    threshold = network.parameters.get("threshold", 0.0)
    if not of_label or not set(of_label) <= set(known) or not isinstance(threshold, int | float):
        raise BundleError(f"the labels of {network.name} must be angles of {known}, and its threshold a number")
    return np.array(of_label, np.int32)[answer.outputs["label"]], answer.outputs["probability"] >= threshold
