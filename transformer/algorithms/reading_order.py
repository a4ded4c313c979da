"""The order in which a person reads the boxes of an image: rows from the top, and each row from the left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32

#: Boxes whose top-left corners differ by less than this in y are in one row [pixels of the original image].
ROW_HEIGHT = 10.0


def reading_order(boxes: F32) -> NDArray[np.intp]:
    """Indices that sort `boxes` F32 [N,4,2], after PaddleOCR's `sorted_boxes`.

    Sorted by y, then x, of the top-left corner; then each box moves before its predecessors while they are in its row
    (ROW_HEIGHT) and to its right.
    """
    x, y = boxes[:, 0, 0].tolist(), boxes[:, 0, 1].tolist()
    order = np.lexsort((boxes[:, 0, 0], boxes[:, 0, 1])).tolist()
    for position in range(1, len(order)):
        box = order[position]
        at = position
        while at > 0 and y[box] - y[order[at - 1]] < ROW_HEIGHT and x[box] < x[order[at - 1]]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = box
    return np.array(order, np.intp)
