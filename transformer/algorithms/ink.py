"""Measures the height of print on a page. Boxes don't show it: for very small print, detection draws them twice as high."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transformer.algorithms.crops import cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32, U8

    F64 = NDArray[np.float64]

#: Lines that are measured, at most: evenly spread over the page.
SAMPLES = 24
#: Height and width, in pixels, to which a piece from the middle of each is scaled.
HEIGHT, WIDTH = 48, 192
#: A row of pixels has ink if its contrast is more than this part of the highest contrast of a row.
INKED = 0.4


def ink_heights(image: U8, boxes: F32) -> F64:
    """Heights of the print in a sample of `boxes` F32 [N,4,2], whose first side runs along the text: from the highest to the
    lowest row with ink, in pixels of `image` U8 [H,W,3] (F64 [M])."""
    chosen = boxes[np.unique(np.linspace(0, len(boxes) - 1, SAMPLES).astype(int))] if len(boxes) > SAMPLES else boxes
    if not len(chosen):
        return np.zeros(0)
    corners = chosen.astype(np.float64)
    length = np.hypot(*(corners[:, 1] - corners[:, 0]).T)
    across = np.hypot(*(corners[:, 3] - corners[:, 0]).T)
    reach = np.minimum(0.5, WIDTH / HEIGHT * across / np.maximum(length, 1e-9) / 2)[:, None]
    top, bottom = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 3]
    pieces = np.stack(
        (
            corners[:, 0] + top * (0.5 - reach),
            corners[:, 0] + top * (0.5 + reach),
            corners[:, 3] + bottom * (0.5 + reach),
            corners[:, 3] + bottom * (0.5 - reach),
        ),
        axis=1,
    )
    count = len(chosen)
    widths, order = np.full(count, WIDTH, np.int32), np.arange(count)
    lines = cut(image, pieces, across, HEIGHT, widths, order, count * HEIGHT * WIDTH).reshape(count, HEIGHT, WIDTH, 3)
    green = lines[..., 1]
    contrast = green.max(axis=2).astype(np.int16) - green.min(axis=2)
    inked = contrast > INKED * contrast.max(axis=1, keepdims=True)
    rows = HEIGHT - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1)
    heights: F64 = rows / HEIGHT * across
    return heights
