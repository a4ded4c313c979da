"""Groups the lines of a levelled page into rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    Index = NDArray[np.intp]

#: A line belongs to a row if the vertical distance between the centres is less than this part of the smaller height.
SAME_ROW = 0.5
#: Rows that a line is compared with.
ROWS_IN_REACH = 3


@dataclass(frozen=True)
class Levelled:
    """Lines on a page whose text runs to the right: their centres, lengths and heights, all F64 [N], in pixels."""

    x: F64
    y: F64
    length: F64
    height: F64

    def of(self, which: Index) -> Levelled:
        """The lines of the indices `which` intp [M]."""
        return Levelled(self.x[which], self.y[which], self.length[which], self.height[which])

    @property
    def left(self) -> F64:
        return self.x - self.length / 2

    @property
    def right(self) -> F64:
        return self.x + self.length / 2


def by_rows(lines: Levelled) -> Index:
    """Indices in the order of rows from the top, each from the left."""
    return np.concatenate([np.zeros(0, np.intp), *rows(lines)])


def rows(lines: Levelled) -> list[Index]:
    """The rows from the top, each as the indices of its lines from the left.

    A line is compared with the nearest line of a row, because the rows of crumpled paper bend.
    """
    y, height, left, right = lines.y.tolist(), lines.height.tolist(), lines.left.tolist(), lines.right.tolist()
    found: list[list[int]] = []
    for line in np.lexsort((lines.x, lines.y)).tolist():
        best, distance = None, float("inf")
        # A row further up than the last few can't be level with this line.
        for row in found[-ROWS_IN_REACH:]:
            near = min(row, key=lambda other: max(left[other] - right[line], left[line] - right[other]))
            apart = abs(y[line] - y[near]) / min(height[line], height[near])
            if apart < SAME_ROW and apart < distance:
                best, distance = row, apart
        if best is None:
            found.append([line])
        else:
            best.append(line)
    order = [np.array(sorted(row, key=lambda line: left[line]), np.intp) for row in found]
    return sorted(order, key=lambda row: float(lines.y[row].mean()))
