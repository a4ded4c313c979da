"""Groups the lines of a page into paragraphs by their positions."""

from __future__ import annotations

from collections.abc import Sequence

from ppocr_api.document import Line, Points

#: The largest gap between two lines of a paragraph [heights of the smaller one].
GAP = 0.75
#: The higher of two neighbours is at most this many times as high as the other.
HEIGHTS = 1.6


def paragraphs(lines: Sequence[Line]) -> list[list[Line]]:
    """`lines` in their order, grouped into paragraphs, in which each line is below the one before it, close to it, about as
    high, and shares some of its width."""
    found: list[list[Line]] = []
    for line in lines:
        if found and _continues(_sides(found[-1][-1].points), _sides(line.points)):
            found[-1].append(line)
        else:
            found.append([line])
    return found


def around(lines: Sequence[Line]) -> Points:
    """The corners of the upright rectangle around `lines`, from the top left clockwise; those of a single line as they are."""
    if len(lines) == 1:
        return lines[0].points
    sides = [_sides(line.points) for line in lines]
    left, top = min(each[0] for each in sides), min(each[1] for each in sides)
    right, bottom = max(each[2] for each in sides), max(each[3] for each in sides)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _sides(points: Points) -> tuple[float, float, float, float]:
    """Left, top, right and bottom."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _continues(above: tuple[float, float, float, float], below: tuple[float, float, float, float]) -> bool:
    heights = above[3] - above[1], below[3] - below[1]
    low, high = min(heights), max(heights)
    is_lower = (below[1] + below[3]) / 2 > above[3]
    shares_width = min(above[2], below[2]) > max(above[0], below[0])
    return is_lower and shares_width and high <= HEIGHTS * low and below[1] - above[3] <= GAP * low
