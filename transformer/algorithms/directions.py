"""The direction of the text in a box, and the direction of most text on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32

    F64 = NDArray[np.float64]
    Flags = NDArray[np.bool_]

#: A box this many times longer than wide holds a line along its longer side.
LONG = 3.0
#: From here up to LONG, the text is probably a word along the longer side, but a single upright letter or digit has such a
#: box too.
TALL = 1.5
#: Lines within this many degrees of each other have one direction.
WINDOW = 20.0
#: Lines across the page's direction are first read downwards, even if they lean by this many degrees.
LEAN = 10.0


def directed(boxes: F32) -> tuple[F32, Flags]:
    """Turns each box so that its first side runs along its text, as far as shape tells.

    Shape doesn't tell which side of a line is up. A line along the page's direction is assumed to run to the right (downwards
    on a page of vertical lines), and one across it downwards. Recognition shows later whether it is upside down.

    Args:
        boxes: F32 [N,4,2], corners clockwise from any of the four.

    Returns:
        The same corners, beginning at another one if necessary (F32 [N,4,2]), and the boxes whose text may just as well run
        along the other side (bool [N]): an upright letter and a short turned word have the same shape.
    """
    along, across = sides(boxes)
    width, height = np.hypot(*along.T), np.hypot(*across.T)
    ratio = np.maximum(width, height) / np.maximum(np.minimum(width, height), 1e-9)
    angle, tall = np.degrees(np.arctan2(along[:, 1], along[:, 0])), height > width
    # Single letters are taller than wide, so a tall box has a vote only if it is long.
    votes = np.where(ratio >= np.where(tall, LONG, TALL), np.maximum(width, height), 0.0)
    main = dominant(angle + np.where(tall, 90.0, 0.0), votes, 180.0)
    main = main if main > LEAN - 90 else main + 180
    across_main = np.abs(wrapped(angle - main, 180.0)) > 45
    turn = np.where(ratio >= LONG, tall, across_main)
    either = (ratio >= TALL) & (ratio < LONG) & (turn != tall)
    first = wrapped(angle + np.where(turn, 90.0, 0.0) - main - LEAN, 360.0)
    begin = turn + np.where((first <= -90) | (first > 90), 2, 0)
    return begun_at(boxes, begin), either


def sides(boxes: F32) -> tuple[F64, F64]:
    """Along and across each box: the means of its first and third, and of its second and fourth side (F64 [N,2])."""
    corners = boxes.astype(np.float64)
    along = (corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3]) / 2
    across = (corners[:, 3] - corners[:, 0] + corners[:, 2] - corners[:, 1]) / 2
    return along, across


def begun_at(boxes: F32, first: NDArray[np.intp]) -> F32:
    """The boxes, each with the corner of index `first` [N] (0 to 3) as its first one."""
    order = (np.arange(4) + first[:, None]) % 4
    return np.take_along_axis(boxes, order[:, :, None], axis=1)


def dominant(angles: F64, weights: F64, period: float) -> float:
    """The angle in degrees near which most of `angles` lie (by weight), modulo `period`; 0 if nothing has weight.

    The window with the most weight is chosen, then the weighted median of the angles in it.
    """
    if not weights.sum() > 0:
        return 0.0
    bins = round(period)
    histogram = np.bincount(np.floor(angles % period).astype(int) % bins, weights, bins)
    reach = int(WINDOW)
    spread = np.concatenate((histogram[-reach:], histogram, histogram[:reach]))
    # Angles near the middle of a window count more; otherwise all windows that hold the same angles would be equal.
    centre = int(np.convolve(spread, np.bartlett(2 * reach + 3)[1:-1], "valid").argmax()) + 0.5
    offsets = wrapped(angles - centre, period)
    near = np.abs(offsets) <= WINDOW
    order = np.argsort(offsets[near], kind="stable")
    total = np.cumsum(weights[near][order])
    median = offsets[near][order][np.searchsorted(total, total[-1] / 2)]
    return float(wrapped(np.array(centre + median), period))


def wrapped(degrees: F64, period: float) -> F64:
    """`degrees` modulo `period`, from above -period/2 up to period/2."""
    return period / 2 - (period / 2 - degrees) % period
