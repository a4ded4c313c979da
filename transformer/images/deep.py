"""16-bit samples: scanners and cameras of 8, 10 or 12 bits often store their values unscaled, in the lower bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ppocr.contract import U8


def used_bits(top: int) -> int:
    """How many bits `top`, the largest value of an image, needs; at least 8, so that a black page stays black."""
    return max(top.bit_length(), 8)


def eight_bits(image: NDArray[Any], bits: int | NDArray[np.uint16]) -> U8:
    """UINT8 or UINT16 values that use `bits` bits, as UINT8: the upper eight of them. Each channel may have its own `bits`."""
    return image if image.dtype == np.uint8 else np.right_shift(image, bits - 8).astype(np.uint8)
