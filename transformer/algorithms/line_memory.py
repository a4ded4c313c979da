"""How much memory the lines of a page will take, before any of them is cut out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import Grid

if TYPE_CHECKING:
    from ppocr.contract import F32

#: Bytes of a pixel of a line: itself, in the message to the predictor, and in that as it is sent.
PER_PIXEL = 9


def line_memory(boxes: F32, grid: Grid, max_pixels: int) -> int:
    """Bytes that the lines in `boxes` F32 [N,4,2] take at most, where all lines together may have `max_pixels`."""
    sides = np.linalg.norm(np.roll(boxes, -1, axis=1) - boxes, axis=2)
    longest, shortest = sides.max(axis=1, initial=0), sides.min(axis=1, initial=np.inf)
    natural = longest / np.maximum(shortest, 1) * grid.height.minimum + grid.width.step
    pixels = int(natural.clip(grid.width.minimum, grid.width.maximum).sum()) * grid.height.minimum
    return PER_PIXEL * min(pixels, max_pixels)
