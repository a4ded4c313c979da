"""The lines of an image, each warped straight to the height of the recognition network, in one flat buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ppocr.contract import Grid, Items
from ppocr_api.errors import InvalidImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32, U8

    F64 = NDArray[np.float64]
    Index = NDArray[np.intp]

#: Lines are at least this part of their natural width. The networks' time goes with the width, and PP-OCR reads letters
#: that are this much narrower as well as others: neither receipts nor rendered lines in 24 fonts were read worse.
SQUEEZE = 0.85
#: A line whose edges rise by this part of its height, or less, is scaled without a warp: that costs a third, and the
#: corners move by half of it at most, far less than the margin that boxes have round their text.
LEVEL = 1 / 8


def crops(image: U8, boxes: F32, grid: Grid, max_pixels: int = 64_000_000) -> tuple[Items, Index]:
    """Cuts the lines out of `image` U8 [H,W,3].

    Args:
        boxes: F32 [N,4,2], corners top left, top right, bottom right, bottom left of the text.
        grid: height and widths that the network takes.
        max_pixels: of all lines together.

    Returns:
        The lines, narrowest first, and for each of them the index of its box (intp [N]).

    Raises:
        InvalidImage: the lines have more pixels than `max_pixels`.
    """
    corners, along, across = upright(boxes)
    widths = line_widths(along, across, grid)
    order = np.argsort(widths, kind="stable")
    pixels = cut(image, corners, across, grid.height.minimum, widths, order, max_pixels)
    sizes = np.stack((np.full(len(order), grid.height.minimum, np.int32), widths[order]), axis=1)
    return Items(pixels, sizes), order


def cut(
    image: U8, corners: F64, across: F64, height: int, widths: NDArray[np.int32], order: Index, max_pixels: int
) -> U8:
    """Lines of `height` pixels and `widths` I32 [N], one after the other in `order`: U8 [P], each [height,w,3].

    `corners` F64 [N,4,2] and `across` F64 [N] are those of `upright`. Raises InvalidImage for more than `max_pixels`.
    """
    needed = int(widths.sum(dtype=np.int64)) * height
    if needed > max_pixels:
        raise InvalidImage(
            f"the image has {len(corners)} lines of {needed:,} pixels in all, and at most {max_pixels:,} are read"
        )
    ends = np.cumsum(widths[order].astype(np.intp)) * (height * 3)
    pixels = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    # Plain lists: indexing an array costs more than the resize of a short line.
    slices, level = _slices(corners, across, image)
    shrink = np.maximum(across // height, 1).astype(int).tolist()
    start = 0
    for index, width, end in zip(order.tolist(), widths[order].tolist(), ends.tolist(), strict=True):
        line = pixels[start:end].reshape(height, width, 3)
        x0, y0, x1, y1 = slices[index]
        if level[index]:
            _scale(image[y0:y1, x0:x1], line, shrink[index])
        else:
            _warp(image[y0:y1, x0:x1], corners[index] - (x0, y0), line, shrink[index])
        start = end
    return pixels


def upright(boxes: F32) -> tuple[F64, F64, F64]:
    """Corners F64 [N,4,2], whose first side runs along the text, and each line's length and height in pixels (F64 [N])."""
    corners = boxes.astype(np.float64)
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
    return corners, np.maximum(sides[:, 0], sides[:, 2]), np.maximum(sides[:, 1], sides[:, 3])


def line_widths(along: F64, across: F64, grid: Grid) -> NDArray[np.int32]:
    """Width of each line in the network's input: SQUEEZE times its own, up to the next width of the grid.

    The whole line is scaled to it, so that nothing is padded.
    """
    axis = grid.width
    natural = along * grid.height.minimum / np.maximum(across, 1.0)
    widths = np.ceil(natural * SQUEEZE / axis.step) * axis.step
    return widths.clip(axis.minimum, axis.maximum).astype(np.int32)


def _slices(corners: F64, across: F64, image: U8) -> tuple[list[list[int]], list[bool]]:
    """The part of the image that each line needs, as [x0, y0, x1, y1], and whether scaling that part is all it needs.

    A level line is the rectangle between the middles of its sides; another line needs all that its corners enclose, and
    a pixel more for the interpolation.
    """
    height, width = image.shape[:2]
    turned = np.roll(corners, -1, axis=1)
    # Edges top, right, bottom, left; how far each strays from its own direction.
    stray = np.abs(turned - corners)
    level = (stray[:, 0::2, 1].max(axis=1, initial=0) <= LEVEL * across) & (
        stray[:, 1::2, 0].max(axis=1, initial=0) <= LEVEL * across
    )
    level &= (corners[:, 0, 0] <= corners[:, 1, 0]) & (corners[:, 0, 1] <= corners[:, 3, 1])
    middles = np.rint((corners + turned) / 2)
    inner = np.stack((middles[:, 3, 0], middles[:, 0, 1], middles[:, 1, 0], middles[:, 2, 1]), axis=1)
    outer = np.concatenate((np.floor(corners.min(axis=1)) - 1, np.ceil(corners.max(axis=1)) + 2), axis=1)
    slices = np.where(level[:, None], inner, outer)
    # At least one pixel, wherever the corners are.
    low = slices[:, :2].clip(0, (width - 1, height - 1))
    high = np.maximum(slices[:, 2:], low + 1).clip(1, (width, height))
    return np.concatenate((low, high), axis=1).astype(int).tolist(), level.tolist()


def _scale(part: U8, line: U8, shrink: int) -> None:
    """Fills `line` U8 [h,w,3] with all of `part`."""
    interpolation = cv2.INTER_AREA if shrink > 1 else cv2.INTER_LINEAR
    cv2.resize(part, (line.shape[1], line.shape[0]), dst=line, interpolation=interpolation)


def _warp(part: U8, corners: F64, line: U8, shrink: int) -> None:
    """Fills `line` U8 [h,w,3] with what lies between `corners` F64 [4,2] of `part`."""
    height, width = line.shape[:2]
    if shrink > 1:
        # A warp samples single pixels, and would miss those between: strokes of large type would get lost.
        before = part.shape[1], part.shape[0]
        size = (max(before[0] // shrink, 1), max(before[1] // shrink, 1))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        corners = corners * (size[0] / before[0], size[1] / before[1])
    target = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    transform = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    cv2.warpPerspective(
        part, transform, (width, height), dst=line, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
