"""The input sizes that a network is prepared for, derived from its grid."""

from __future__ import annotations

from ppocr.contract import Axis, Grid

Shape = tuple[int, int, int, int]

#: The short side of a page whose long side is 1: 0.71 for A4 and less for receipts, plus what rounding to the grid adds.
PAGE = 23 / 30


def nearest(axis: Axis, length: float) -> int:
    """The length on `axis` that is nearest to `length`."""
    steps = round((min(max(length, axis.minimum), axis.maximum) - axis.minimum) / axis.step)
    on_axis = axis.minimum + steps * axis.step
    return on_axis if on_axis <= axis.maximum else on_axis - axis.step


def usual_pages(grid: Grid) -> tuple[Shape, Shape]:
    """A portrait and a landscape page, [1,H,W,3]: on a grid whose usual side is 960 these are 960x736 and 736x960."""
    height, width = (nearest(axis, axis.usual) for axis in (grid.height, grid.width))
    return (
        (1, height, nearest(grid.width, grid.width.usual * PAGE), 3),
        (1, nearest(grid.height, grid.height.usual * PAGE), width, 3),
    )


def smallest(grid: Grid) -> Shape:
    """The smallest input [1,H,W,3]."""
    return (1, grid.height.minimum, grid.width.minimum, 3)


def profile(grid: Grid) -> tuple[Shape, Shape, Shape]:
    """The smallest, a usual and the largest input [N,H,W,3], which TensorRT builds its kernels for.

    They are built once instead of at every new shape. Pages are run one at a time.
    """
    height, width = grid.height, grid.width
    usual = nearest(height, height.usual), nearest(width, width.usual)
    if grid.whole_pages:
        largest = nearest(height, 2 * height.usual), nearest(width, 2 * width.usual)
        return smallest(grid), (1, *usual, 3), (1, *largest, 3)
    return smallest(grid), (32, *usual, 3), (64, height.maximum, width.maximum, 3)
