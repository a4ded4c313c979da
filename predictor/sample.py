"""Reads one sample before a version serves: a network may load and still give answers that its manifest doesn't describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ppocr import answers
from ppocr.contract import Axis, Items, NetworkFacts
from ppocr_api.errors import BundleError, PpocrError
from predictor.blocks import answer_of
from predictor.engines.base import Network

if TYPE_CHECKING:
    from ppocr.contract import U8

#: 0 to 9 in 3x5 pixels: each digit's rows from the top, the leftmost pixel is the highest bit.
_DIGITS = ("75557", "26227", "71747", "71717", "55711", "74717", "74757", "71111", "75757", "75717")
#: Length of a side of the sample, if the network accepts several lengths [pixels].
LENGTH = 320


def check(network: Network, facts: NetworkFacts, label: str) -> None:
    """Runs `network` on an image of digits. Raises BundleError if it fails, or if its answer doesn't match `facts` of the
    bundle `label`, for example a class without a label."""
    pixels = sample(facts)
    sizes = np.array([pixels.shape[1:3]], np.int32)
    try:
        answer = answer_of(facts, [pixels], [network.infer(pixels)], "")
        answers.check(facts, Items(pixels.reshape(-1), sizes), answer)
    except PpocrError as error:
        raise BundleError(
            f"the {facts.name} network of {label} doesn't match its manifest: its answer for a sample is wrong ({error})"
        ) from error


def sample(facts: NetworkFacts) -> U8:
    """The digits in black on white, U8 [1,H,W,3], in a size that the network takes."""
    height, width = _length(facts.grid.height), _length(facts.grid.width)
    rows = [[int(digit[row]) for digit in _DIGITS] for row in range(5)]
    bits = np.array([[(each >> 2, each >> 1, each, 0) for each in row] for row in rows]).reshape(5, -1) & 1
    scale = max(1, min(height // 6, width // bits.shape[1]))
    ink = np.kron(bits, np.ones((scale, scale), np.int64))[:height, :width]
    page = np.full((1, height, width, 3), 255, np.uint8)
    top, left = (height - ink.shape[0]) // 2, (width - ink.shape[1]) // 2
    page[0, top : top + ink.shape[0], left : left + ink.shape[1]] -= (ink * 255).astype(np.uint8)[:, :, None]
    return page


def _length(axis: Axis) -> int:
    steps = (min(axis.maximum, max(LENGTH, axis.minimum)) - axis.minimum) // axis.step
    return axis.minimum + steps * axis.step
