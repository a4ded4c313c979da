"""Transparent pictures on white paper: text on a transparent background is read as a viewer shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from transformer.images.source import Alpha

if TYPE_CHECKING:
    from ppocr.contract import U8

_BLOCK_PIXELS = 1 << 16  # computed at a time, so that what lies between the steps stays in the cache


def on_white(image: NDArray[Any], alpha: Alpha) -> U8:
    """UINT8 or UINT16 [H,W,4] BGRA (or [H,W,3] BGR, [H,W] grey, without alpha) to UINT8 [H,W,3] RGB on white.

    c * a + 1 - a, with c * a in place already where `alpha` is "premultiplied".
    """
    if image.ndim == 2:
        return cv2.cvtColor(_eight_bits(image), cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]
    if image.shape[2] == 3:
        return cv2.cvtColor(_eight_bits(image), cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
    height, width = image.shape[:2]
    flat = np.empty((height, width, 3), np.uint8)
    opacity = image[..., 3]
    opaque = opacity.min() == np.iinfo(image.dtype).max or (alpha == "unless_all_zero" and not opacity.any())
    step = max(_BLOCK_PIXELS // width, 1)
    for top in range(0, height, step):
        rows = _eight_bits(image[top : top + step])
        if opaque:
            flat[top : top + step] = cv2.cvtColor(rows, cv2.COLOR_BGRA2RGB)
            continue
        # OpenCV's "mRGBA" is premultiplied, with rounding; the order of the colours doesn't matter to it.
        ink = rows if alpha == "premultiplied" else cv2.cvtColor(rows, cv2.COLOR_RGBA2mRGBA)
        paper = cv2.cvtColor(255 - rows[..., 3], cv2.COLOR_GRAY2RGB)
        flat[top : top + step] = cv2.add(cv2.cvtColor(ink, cv2.COLOR_BGRA2RGB), paper)
    return flat


def grey_key(image: NDArray[Any], key: int) -> U8:
    """UINT8 or UINT16 [H,W] to UINT8 [H,W,3], with the pixels of the grey value `key` white."""
    transparent = image == key
    grey = np.ascontiguousarray(_eight_bits(image))
    grey[transparent] = 255
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]


def _eight_bits(image: NDArray[Any]) -> U8:
    return image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)
