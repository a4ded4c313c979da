"""How much memory the lines of a page will take, before any of them is cut out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import Grid
from transformer.algorithms.crops import upright
from transformer.algorithms.long_lines import LONG, OVERLAP, PART
from transformer.algorithms.widths import SHORT, SQUEEZE

if TYPE_CHECKING:
    from ppocr.contract import F32

#: Bytes of a pixel of a line: itself, in the message to the predictor, and in that as it is sent.
PER_PIXEL = 9


def line_memory(boxes: F32, grid: Grid, max_pixels: int) -> int:
    """Bytes that the lines in `boxes` F32 [N,4,2] take at most, where all lines together may have `max_pixels`."""
    _, along, across = upright(boxes)
    heights = along / np.maximum(across, 1.0)
    # The parts of a long line overlap, and the shortest is half as long as the others.
    heights = np.where(heights < LONG, heights, heights * (1 + 4 * OVERLAP / PART))
    widths = np.maximum(heights * grid.height.minimum * SQUEEZE, SHORT * grid.height.minimum / 48) + grid.width.step
    return PER_PIXEL * min(int(widths.sum()) * grid.height.minimum, max_pixels)
