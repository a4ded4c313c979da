"""Adds a margin to tightly cropped images, because networks were trained on text with some background around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from ppocr.contract import U8

#: An image whose shorter side is below NARROW gets a margin of MARGIN on each side [pixels].
NARROW = 64
MARGIN = 32
#: The median colour is that of about this many pixels: every n-th if there are more.
SAMPLES = 50_000


def margin_of(image: U8) -> int:
    """The margin in pixels that `image` U8 [H,W,3] needs on each side."""
    return MARGIN if min(image.shape[:2]) < NARROW else 0


def with_margin(image: U8, margin: int) -> U8:
    """`image` U8 [H,W,3] with a margin of its median colour."""
    pixels = image.reshape(-1, 3)
    colour = np.median(pixels[:: max(1, len(pixels) // SAMPLES)], axis=0).tolist()
    return cv2.copyMakeBorder(  # type: ignore[return-value]
        image, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=colour
    )
