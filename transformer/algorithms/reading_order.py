"""Reading order of the lines of a page, independent of resolution and skew.

The page is levelled by the angle of its lines first. Lines that run the same way belong together: a note along the margin
is read before or after the text, not between its rows. Vertical columns are rows of a page that is turned by 90 degrees,
so they are read from the right to the left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transformer.algorithms.columns import by_columns
from transformer.algorithms.directions import LONG, TALL, dominant, sides, wrapped
from transformer.algorithms.rows import Levelled, by_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32

    F64 = NDArray[np.float64]

#: Upright lines set the direction of a page if their total length is at least this part of that of any other direction.
UPRIGHT = 0.8


def reading_order(boxes: F32, columns: bool = False, turned_back: int = 0) -> NDArray[np.intp]:
    """Indices (intp [N]) that sort `boxes` F32 [N,4,2], whose first side runs along the text.

    Rows from the top, each from the left; with `columns` the columns of the page one after the other, if it has any.

    `turned_back`: degrees by which the image was turned counter-clockwise. If several directions have about as much text, the
    one that was upright before sets the direction of the page.
    """
    if not len(boxes):
        return np.zeros(0, np.intp)
    along, across = sides(boxes)
    length, height = np.hypot(*along.T), np.hypot(*across.T)
    ratio = length / np.maximum(height, 1e-9)
    angles = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    skew = dominant(angles, np.where(ratio >= TALL, length, 0.0), 90.0)
    quarter = np.rint(wrapped(angles - skew, 360.0) / 90).astype(int) % 4
    weights = np.bincount(quarter, np.where(ratio >= TALL, length, 0.0), 4)
    first = next(turn for turn in (-turned_back // 90 % 4, 0, 1, 3, 2) if weights[turn] >= UPRIGHT * weights.max())
    # The direction of a short box is uncertain: it stays with the page.
    quarter[ratio < LONG] = first
    page = _levelled(boxes, length, height, skew + 90 * first)
    groups = [np.flatnonzero(quarter == turn) for turn in range(4) if (quarter == turn).any()]
    down = np.radians(skew + 90 * first + 90)
    tops = (boxes @ np.array((np.cos(down), np.sin(down)))).min(axis=1)
    groups.sort(key=lambda group: float(tops[group].min()))
    order = []
    for group in groups:
        turn = int(quarter[group[0]])
        own = page if turn == first else _levelled(boxes, length, height, skew + 90 * turn)
        order.append(group[(by_columns if columns else by_rows)(own.of(group))])
    return np.concatenate(order)


def _levelled(boxes: F32, length: F64, height: F64, angle: float) -> Levelled:
    centre = boxes.astype(np.float64).mean(axis=1)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return Levelled(centre[:, 0] * cos + centre[:, 1] * sin, centre[:, 1] * cos - centre[:, 0] * sin, length, height)
