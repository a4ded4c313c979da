"""Estimates the memory of a page's line crops before they are cut out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import Grid
from transformer.algorithms.crops import upright
from transformer.algorithms.long_lines import LONG, OVERLAP, PART
from transformer.algorithms.widths import SHORT, SQUEEZE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32

    F64 = NDArray[np.float64]

#: Bytes per pixel of a line: in the crop, in the message to the predictor, and in the serialised message.
PER_PIXEL = 9


def line_memory(boxes: F32, grid: Grid, max_pixels: int, stretch: F64 | None = None) -> int:
    """Bytes that the lines in `boxes` F32 [N,4,2] take at most, if all lines together may have `max_pixels`.

    `stretch` F64 [N]: as in `crops`.
    """
    return PER_PIXEL * min(int(line_pixels(boxes, grid, stretch).sum()), max_pixels)


def line_pixels(boxes: F32, grid: Grid, stretch: F64 | None = None) -> F64:
    """Pixels that each line takes at most (F64 [N])."""
    _, along, across = upright(boxes)
    heights = along / np.maximum(across, 1.0)
    # The parts of a long line overlap, and cuts may be only PART / 2 apart.
    heights = np.where(heights < LONG, heights, heights * (1 + 4 * OVERLAP / PART))
    widths = np.maximum(heights * grid.height.minimum * SQUEEZE, SHORT * grid.height.minimum / 48) + grid.width.step
    if stretch is not None:
        widths = widths * stretch + grid.width.step
    pixels: F64 = np.floor(widths) * grid.height.minimum
    return pixels
