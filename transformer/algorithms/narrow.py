"""Narrow type: lines that were read with too few time steps a character, stretched to be read again.

Of two characters that share a time step one is lost, and CTC needs a step between two that are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ppocr.contract import Grid, Items
from transformer.algorithms.crops import Crops
from transformer.algorithms.ctc import Reading
from transformer.algorithms.widths import PADDING, WIDER, widths_on_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8

    Index = NDArray[np.intp]

#: A line that was read with fewer time steps a character is read again.
ENOUGH = 1.7
#: A line of fewer characters has no neighbours to lose them to.
FEW = 3
#: Where a character is lost, the network is unsure of those beside it. A line whose characters are all read with this much
#: confidence has lost none, unless it has fewer steps than MERGED a character: then equal neighbours may have become one.
SURE = 0.95
MERGED = 1.55


def crowded(readings: Sequence[Reading], lines: Crops, max_pixels: int) -> Index:
    """The items to read again, by number: as many as have `max_pixels` in all when they are wider."""
    which = np.array([item for item, reading in enumerate(readings) if _is_crowded(reading)], np.intp)
    wider = lines.items.sizes[which].prod(axis=1, dtype=np.int64) * WIDER
    return which[np.cumsum(wider) <= max_pixels]


def _is_crowded(reading: Reading) -> bool:
    count = len(reading.characters)
    if count < FEW or reading.steps >= ENOUGH * count:
        return False
    return reading.steps < MERGED * count or float(reading.probabilities.min()) < SURE


def wider(lines: Crops, which: Index, grid: Grid) -> Crops:
    """The items `which` of `lines`, each stretched by WIDER; `line` is their number in `lines`."""
    height = grid.height.minimum
    widths, filled = widths_on_grid(lines.filled[which].astype(np.float64) * WIDER, grid)
    order = np.argsort(widths, kind="stable")
    ends = np.cumsum(lines.items.sizes.prod(axis=1, dtype=np.intp)) * 3
    pixels = np.empty(int(widths.sum(dtype=np.intp)) * height * 3, np.uint8)
    start = 0
    for index in order.tolist():
        item, width, own = int(which[index]), int(widths[index]), int(filled[index])
        whole = lines.items.pixels[ends[item] - height * lines.items.sizes[item, 1] * 3 : ends[item]]
        line: U8 = whole.reshape(height, -1, 3)[:, : lines.filled[item]]
        stretched = pixels[start : (start := start + height * width * 3)].reshape(height, width, 3)
        cv2.resize(line, (own, height), dst=stretched[:, :own], interpolation=cv2.INTER_CUBIC)
        stretched[:, own:] = PADDING
    sizes = np.stack((np.full(len(order), height, np.int32), widths[order]), axis=1)
    whole_lines = np.tile((0.0, 1.0), (len(order), 1))
    return Crops(Items(pixels, sizes), which[order], whole_lines, filled[order], lines.lengths)
