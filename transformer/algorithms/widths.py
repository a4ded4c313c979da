"""The width of a line in the recognition network's input.

A line of usual length is stretched to the next width of the grid. A short one isn't, because one or two letters, stretched,
look like nothing in the training data. It keeps its proportions, and the rest of its item is grey, as in training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import Axis, Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import I32

    F64 = NDArray[np.float64]

#: Lines are at least this part of their natural width. The networks' time is proportional to the width, and PP-OCR reads
#: letters just as well if they are this much narrower: neither receipts nor rendered lines in 24 fonts were read worse.
SQUEEZE = 0.85
#: Fills the rest of a short line's item: grey, the middle of the networks' values. PP-OCR is trained with it, and sees by it
#: where the line ends. Next to the line's own background it reads letters as capitals (96 % of letters right; with grey 99 %).
PADDING = 127
#: Items are at least this wide [pixels, for lines 48 high].
SHORT = 64


def line_widths(along: F64, across: F64, grid: Grid) -> tuple[I32, I32]:
    """The width of each line's item on the grid (I32 [N]), and how much of it the line fills (I32 [N]).

    `along` and `across` are the lines' lengths and heights in pixels of the page (F64 [N]).
    """
    return widths_on_grid(along * grid.height.minimum / np.maximum(across, 1.0) * SQUEEZE, grid)


def widths_on_grid(wanted: F64, grid: Grid) -> tuple[I32, I32]:
    """As `line_widths`, for lines that should be `wanted` pixels wide in the input (F64 [N])."""
    axis = grid.width
    shortest = _at_least(axis, SHORT * grid.height.minimum / 48)
    widths = np.ceil(wanted / axis.step) * axis.step
    widths = widths.clip(shortest, axis.maximum).astype(np.int32)
    filled = np.where(wanted < shortest, np.rint(wanted).clip(1), widths).astype(np.int32)
    return widths, filled


def _at_least(axis: Axis, length: float) -> int:
    """The smallest width of the grid that is at least `length`, or the largest width if none is."""
    steps = max(int(np.ceil((length - axis.minimum) / axis.step)), 0) if axis.step else 0
    return min(axis.minimum + steps * axis.step, axis.maximum)
