"""Samples of 16 bits: scanners and cameras of 8, 10 or 12 bits often store their values as they are, in the lower bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ppocr.contract import U8


def used_bits(top: int) -> int:
    """How many bits the largest value of an image needs; 8 at the least: a black page stays black."""
    return max(top.bit_length(), 8)


def eight_bits(image: NDArray[Any], bits: int | NDArray[np.uint16]) -> U8:
    """UINT8 or UINT16 whose values use `bits` to UINT8: the upper eight of them. `bits` may differ from channel to channel."""
    return image if image.dtype == np.uint8 else np.right_shift(image, bits - 8).astype(np.uint8)
