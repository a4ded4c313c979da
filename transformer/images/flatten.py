"""Lays transparent pictures on paper: white if what is drawn is visible on it, else black or grey.

A viewer shows a transparent picture on a background of its own. Light letters on a transparent background were made for a
dark one; on white they are invisible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from transformer.images.deep import eight_bits, used_bits
from transformer.images.source import Alpha

if TYPE_CHECKING:
    from ppocr.contract import U8

_BLOCK_PIXELS = 1 << 16  # computed at a time, so that intermediate results stay in the cache

WHITE, BLACK, GREY = 255, 0, 128
#: Pixels that are sampled to choose the paper.
SAMPLE = 1 << 16
#: A picture of which a smaller part than this is transparent has its own background; the paper only fills its corners.
_CLEAR = 0.2
#: Pixels count as drawn from the opacity _DRAWN on. They are lost on paper whose luminance differs by less than _NEAR.
_DRAWN, _NEAR = 64, 64
#: The part of the drawn pixels that may be lost: the edges of letters have all luminances.
_LOST = 0.03


def on_paper(image: NDArray[Any], alpha: Alpha) -> U8:
    """UINT8 or UINT16 [H,W,4] BGRA (or [H,W,3] BGR, [H,W] grey, without alpha) to UINT8 [H,W,3] RGB on paper.

    Of 16-bit samples, only the bits that are used count (deep.py). A pixel of colour c and opacity a becomes
    c * a + p * (1 - a) on paper of the grey p, which `paper` chooses; "premultiplied" images have c * a already.
    """
    if image.ndim == 2:
        return grey(image)
    height, width = image.shape[:2]
    step = max(_BLOCK_PIXELS // width, 1)
    blocks = [image[top : top + step] for top in range(0, height, step)]
    flat = np.empty((height, width, 3), np.uint8)
    if image.shape[2] == 3:
        used = used_bits(int(image.max()))
        for top, rows in zip(range(0, height, step), blocks, strict=True):
            flat[top : top + step] = cv2.cvtColor(eight_bits(rows, used), cv2.COLOR_BGR2RGB)
        return flat
    bits = _bits(blocks, alpha)
    opacity = image[..., 3]
    whole = eight_bits(opacity.min(), int(bits[3])) == 255
    opaque = whole or (alpha == "unless_all_zero" and not opacity.any())
    ground = WHITE if opaque else paper(eight_bits(sample(image), bits), alpha)
    for top, rows in zip(range(0, height, step), blocks, strict=True):
        eight = eight_bits(rows, bits)
        flat[top : top + step] = cv2.cvtColor(eight, cv2.COLOR_BGRA2RGB) if opaque else _laid(eight, alpha, ground)
    return flat


def _bits(blocks: Sequence[NDArray[Any]], alpha: Alpha) -> NDArray[np.uint16]:
    """How many bits each channel uses, UINT16 [4]; opacity has a number of its own unless the colours are premultiplied."""
    if blocks[0].dtype == np.uint8:
        return np.full(4, 8, np.uint16)
    shown = max(int(rows[..., :3][rows[..., 3] > 0].max(initial=0)) for rows in blocks)
    colours, opacity = used_bits(shown), used_bits(max(int(rows[..., 3].max()) for rows in blocks))
    if alpha == "premultiplied":
        colours = opacity = max(colours, opacity)
    return np.array((colours, colours, colours, opacity), np.uint16)


def band_on_paper(bgra: U8, alpha: Alpha, ground: int) -> U8:
    """UINT8 [h,W,4] BGRA, rows of a picture, to UINT8 [h,W,3] RGB on paper of the grey `ground`."""
    opaque = bgra[..., 3].min() == 255
    return cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB) if opaque else _laid(bgra, alpha, ground)  # type: ignore[return-value]


def paper(image: U8, alpha: Alpha) -> int:
    """The grey on which what is drawn in `image` UINT8 [h,w,4] BGRA is visible: WHITE, BLACK if more is visible on that, or
    GREY if there are both light and dark letters."""
    opacity = image[..., 3]
    if (opacity < 128).mean() < _CLEAR:
        return WHITE
    drawn = opacity >= _DRAWN
    luminance = cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_BGR2GRAY)[drawn].astype(np.uint8)
    if alpha == "premultiplied":
        luminance = np.minimum(luminance.astype(np.uint16) * 255 // opacity[drawn], 255).astype(np.uint8)
    return _paper_for(luminance)


def _paper_for(luminance: U8) -> int:
    """The first of white, black and grey on which at most _LOST of the pixels `luminance` U8 [N] are lost, else the one on
    which the fewest are."""
    share = np.bincount(luminance, minlength=256) / max(len(luminance), 1)
    levels = np.arange(256)
    lost = {ground: float(share[np.abs(levels - ground) < _NEAR].sum()) for ground in (WHITE, BLACK, GREY)}
    return next((ground for ground in lost if lost[ground] <= _LOST), min(lost, key=lambda ground: lost[ground]))


def sample(image: NDArray[Any]) -> NDArray[Any]:
    """Every n-th pixel of every n-th row of `image`, so that at least SAMPLE remain if it has as many."""
    step = max(math.isqrt(image.shape[0] * image.shape[1] // SAMPLE), 1)
    return image[::step, ::step]


def grey_key(image: NDArray[Any], key: int) -> U8:
    """UINT8 or UINT16 [H,W] to UINT8 [H,W,3], with the pixels of the grey value `key` as paper."""
    transparent = image == key
    values = np.ascontiguousarray(eight_bits(image, used_bits(int(image.max()))))
    few, clear = sample(values), sample(transparent)
    values[transparent] = _paper_for(few[~clear]) if clear.mean() >= _CLEAR else WHITE
    return cv2.cvtColor(values, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]


def grey(image: NDArray[Any]) -> U8:
    """UINT8 or UINT16 [H,W] to UINT8 [H,W,3]; of 16-bit samples, only the bits that are used count."""
    return cv2.cvtColor(eight_bits(image, used_bits(int(image.max()))), cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]


def _laid(rows: U8, alpha: Alpha, ground: int) -> U8:
    # OpenCV's "mRGBA" means premultiplied, with rounding; the order of the colour channels doesn't matter.
    ink = cv2.cvtColor(
        rows if alpha == "premultiplied" else cv2.cvtColor(rows, cv2.COLOR_RGBA2mRGBA), cv2.COLOR_BGRA2RGB
    )
    if ground == BLACK:
        return ink  # type: ignore[return-value]
    clear = cv2.cvtColor(255 - rows[..., 3], cv2.COLOR_GRAY2RGB)
    return cv2.add(ink, clear if ground == WHITE else cv2.convertScaleAbs(clear, alpha=ground / 255))  # type: ignore[return-value]
