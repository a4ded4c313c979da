"""Reading order by columns, on a levelled page: each column is read to its end before the next begins.

A gutter is a vertical stripe without text between columns of prose. Headings may cross it: they divide the page into
bands, and each band has its own columns. Each column is divided in the same way in turn, as in an XY cut. A region without
a gutter is read in rows, and so are tables and price lists, whose columns are narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transformer.algorithms.rows import Levelled, by_rows, rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    Index = NDArray[np.intp]

#: Parts of a row with a smaller gap belong together; a gutter is at least this wide [median height of the lines].
GAP = 0.8
#: A column has at least MIN_ROWS parts of rows, whose median length is at least WIDTH [median height of the lines].
MIN_ROWS = 3
WIDTH = 6.0
#: At most this part of a region's rows may cross a gutter.
MAX_CROSSING = 0.25


@dataclass(frozen=True)
class Segment:
    """A part of a row without a gap: its lines and position."""

    lines: Index
    left: float
    right: float
    y: float


def by_columns(lines: Levelled) -> Index:
    """Indices (intp [N]) of the lines by bands from the top, in each band by columns from the left, in each column by rows."""
    if not len(lines.x):
        return np.zeros(0, np.intp)
    height = float(np.median(lines.height))
    return np.concatenate(_region(lines, _segments(lines, GAP * height), height))


def _region(lines: Levelled, segments: list[Segment], height: float) -> list[Index]:
    gutter = _gutter(segments, height)
    if gutter is None:
        everything = np.concatenate([segment.lines for segment in segments])
        return [everything[by_rows(lines.of(everything))]]
    # A heading that crosses the gutter comes between the bands above and below it.
    headings = sorted((s for s in segments if s.left < gutter < s.right), key=lambda segment: segment.y)
    beside = [segment for segment in segments if not segment.left < gutter < segment.right]
    order: list[Index] = []
    top = float("-inf")
    for heading in [*headings, None]:
        bottom = heading.y if heading else float("inf")
        band = [segment for segment in beside if top <= segment.y < bottom]
        for column in ([s for s in band if s.right <= gutter], [s for s in band if s.left >= gutter]):
            if column:
                order += _region(lines, column, height)
        if heading:
            order.append(heading.lines)
            top = bottom
    return order


def _segments(lines: Levelled, gap: float) -> list[Segment]:
    found = []
    for row in rows(lines):
        left, right = lines.left[row], np.maximum.accumulate(lines.right[row])
        cuts = np.flatnonzero(left[1:] - right[:-1] >= gap) + 1
        for part in np.split(np.arange(len(row)), cuts):
            own = row[part]
            found.append(Segment(own, float(left[part[0]]), float(right[part[-1]]), float(lines.y[own].mean())))
    return found


def _gutter(segments: list[Segment], height: float) -> float | None:
    """The x of the gutter that the fewest segments cross, and of several the widest; None if there is no gutter."""
    left, right, y = np.array([(s.left, s.right, s.y) for s in segments], np.float64).T
    # A gutter begins where a segment ends, and ends where the next one begins.
    ends, begins = np.unique(right), np.unique(left)
    after = np.searchsorted(begins, ends)
    ends, after = ends[after < len(begins)], after[after < len(begins)]
    best: tuple[int, float, float] | None = None
    for start, stop in zip(ends.tolist(), begins[after].tolist(), strict=True):
        middle = (start + stop) / 2
        before, behind = right <= middle, left >= middle
        crossing = len(segments) - int(before.sum()) - int(behind.sum())
        rank = (crossing, start - stop, middle)
        if (
            stop - start >= GAP * height
            and crossing <= MAX_CROSSING * len(segments)
            and (best is None or rank < best)
            and all(_is_column((right - left)[side], height) for side in (before, behind))
            and _beside(y[before], y[behind])
        ):
            best = rank
    return None if best is None else best[2]


def _is_column(lengths: F64, height: float) -> bool:
    return len(lengths) >= MIN_ROWS and float(np.median(lengths)) >= WIDTH * height


def _beside(left: F64, right: F64) -> bool:
    """Whether two sides stand side by side for half of the lower one's height, rather than one above the other."""
    overlap = min(left.max(), right.max()) - max(left.min(), right.min())
    return bool(overlap >= 0.5 * min(np.ptp(left), np.ptp(right)))
