"""Cuts the lines out of an image: each is warped to the height of the recognition network, all in one flat buffer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ppocr.contract import Grid, Items
from ppocr_api.errors import InvalidImage
from transformer.algorithms import long_lines
from transformer.algorithms.ctc import Reading
from transformer.algorithms.widths import PADDING, line_widths, widths_on_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32, I32, U8

    F64 = NDArray[np.float64]
    Index = NDArray[np.intp]

#: A box counts as at least this high when its length in heights decides whether it is cut: nobody reads lower text [pixels].
LOWEST = 6.0
#: A line whose edges rise by at most this part of its height is scaled without a warp. That takes a third of the time, and
#: the corners move by at most half of that rise, far less than the margin of boxes around their text.
LEVEL = 1 / 8


@dataclass(frozen=True)
class Crops:
    """Lines as the recognition network takes them, narrowest first.

    Item i is the line `line[i]` (intp [M]) from `part[i, 0]` to `part[i, 1]` (F64 [M,2], as fractions of its length): all of
    it, unless the line is long. It fills the first `filled[i]` pixels of the item's width (I32 [M]); the rest is PADDING.
    `lengths` F64 [N] are the lengths of the lines, in heights.
    """

    items: Items
    line: Index
    part: F64
    filled: I32
    lengths: F64

    @property
    def share(self) -> F64:
        """How much of the width of each item is filled, from 0 to 1 (F64 [M])."""
        return self.filled / np.maximum(self.items.sizes[:, 1], 1)

    def by_line(self, readings: Sequence[Reading]) -> list[Reading]:
        """The readings of the lines, in the order of their boxes, from those of the items."""
        found = [readings[0]] * len(self.lengths)
        for item, line in enumerate(self.line.tolist()):
            found[line] = readings[item]
        several = np.flatnonzero(np.bincount(self.line, minlength=len(found)) > 1)
        for line in several.tolist():
            items = np.flatnonzero(self.line == line)
            items = items[np.argsort(self.part[items, 0])]
            whole = [readings[item] for item in items.tolist()]
            found[line] = long_lines.joined(whole, self.part[items], float(self.lengths[line]))
        return found


def crops(image: U8, boxes: F32, grid: Grid, max_pixels: int = 64_000_000, stretch: F64 | None = None) -> Crops:
    """Cuts the lines out of `image` U8 [H,W,3].

    Args:
        boxes: F32 [N,4,2], corners top left, top right, bottom right, bottom left of the text.
        grid: height and widths that the network takes.
        max_pixels: of all lines together.
        stretch: F64 [N], how many times wider than usual each line should be, 1 or more.

    Raises:
        InvalidImage: the lines have more pixels than `max_pixels`.
    """
    corners, along, across = upright(boxes)
    height = grid.height.minimum
    wanted = along if stretch is None else along * stretch
    check_pixels(len(boxes), int(line_widths(wanted, across, grid)[0].sum(dtype=np.int64)) * height, max_pixels)
    lengths = along / np.maximum(across, LOWEST)
    line, part = _parts(image, corners, along, across, lengths, height)
    corners, across = _between(corners[line], part), across[line]
    high = np.where(lengths[line] < long_lines.LONG, across, np.maximum(across, LOWEST))
    widths, filled = line_widths(along[line] * (part[:, 1] - part[:, 0]), high, grid)
    if stretch is not None:
        stretched = widths_on_grid(filled * stretch[line], grid)
        widths, filled = (
            np.where(stretch[line] > 1, wide, usual) for wide, usual in zip(stretched, (widths, filled), strict=True)
        )
    order = np.argsort(widths, kind="stable")
    pixels = cut(image, corners, across, height, widths, order, max_pixels, filled)
    sizes = np.stack((np.full(len(order), height, np.int32), widths[order]), axis=1)
    return Crops(Items(pixels, sizes), line[order], part[order], filled[order], lengths)


def cut(
    image: U8,
    corners: F64,
    across: F64,
    height: int,
    widths: I32,
    order: Index,
    max_pixels: int,
    filled: I32 | None = None,
) -> U8:
    """Lines of `height` pixels and `widths` I32 [N], one after the other in `order`: U8 [P], each [height,w,3].

    `corners` F64 [N,4,2] and `across` F64 [N] are those of `upright`. A line fills the first `filled` I32 [N] of its width,
    all of it by default, and the rest is PADDING. Raises InvalidImage for more than `max_pixels`.
    """
    filled = widths if filled is None else filled
    check_pixels(len(corners), int(widths.sum(dtype=np.int64)) * height, max_pixels)
    ends = np.cumsum(widths[order].astype(np.intp)) * (height * 3)
    pixels = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    # Plain lists: indexing an array costs more than the resize of a short line.
    slices, level = _slices(corners, across, image)
    shrink = np.maximum(across // height, 1).astype(int).tolist()
    start, sizes = 0, zip(widths[order].tolist(), filled[order].tolist(), ends.tolist(), strict=True)
    for index, (width, own, end) in zip(order.tolist(), sizes, strict=True):
        item = pixels[start:end].reshape(height, width, 3)
        line = item[:, :own]
        x0, y0, x1, y1 = slices[index]
        if level[index]:
            _scale(image[y0:y1, x0:x1], line, shrink[index])
        else:
            _warp(image[y0:y1, x0:x1], corners[index] - (x0, y0), line, shrink[index])
        if own < width:
            item[:, own:] = PADDING
        start = end
    return pixels


def upright(boxes: F32) -> tuple[F64, F64, F64]:
    """Corners F64 [N,4,2], whose first side runs along the text, and each line's length and height in pixels (F64 [N])."""
    corners = boxes.astype(np.float64)
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
    return corners, np.maximum(sides[:, 0], sides[:, 2]), np.maximum(sides[:, 1], sides[:, 3])


def check_pixels(lines: int, pixels: int, max_pixels: int) -> None:
    """Raises InvalidImage for more than `max_pixels` of all lines together."""
    if pixels > max_pixels:
        raise InvalidImage(
            f"the image has {lines} lines of {pixels:,} pixels in all, and at most {max_pixels:,} are allowed"
        )


def _parts(image: U8, corners: F64, along: F64, across: F64, lengths: F64, height: int) -> tuple[Index, F64]:
    """For each item, the index of its line (intp [M]) and which part of it (F64 [M,2]). Long lines become several items."""
    line, part = np.arange(len(lengths)), np.tile((0.0, 1.0), (len(lengths), 1))
    long = np.flatnonzero(lengths >= long_lines.LONG)
    if not len(long):
        return line, part
    lines, parts = [np.delete(line, long)], [np.delete(part, long, axis=0)]
    for index in long.tolist():
        columns = _contrast(image, corners[index], along[index], across[index], height)
        found = long_lines.parts(columns, lengths[index])
        lines.append(np.full(len(found), index))
        parts.append(np.array(found))
    return np.concatenate(lines), np.concatenate(parts)


def _contrast(image: U8, corners: F64, along: float, across: float, height: int) -> NDArray[np.int16]:
    """`long_lines.contrast` of a whole line, computed one stretch after the other."""
    count = int(np.ceil(along / max(across, LOWEST) / long_lines.PART))
    bounds = np.linspace(0, 1, count + 1)
    stretches = _between(np.repeat(corners[None], count, axis=0), np.stack((bounds[:-1], bounds[1:]), axis=1))
    width = np.array([round(long_lines.PART * height)], np.int32)
    first, high = np.zeros(1, np.intp), np.array([across])
    return np.concatenate(
        [
            long_lines.contrast(
                cut(image, each[None], high, height, width, first, height * int(width[0])).reshape(height, -1, 3)
            )
            for each in stretches
        ]
    )


def _between(corners: F64, part: F64) -> F64:
    """The part of each line of `corners` F64 [N,4,2] that lies between the fractions `part` F64 [N,2] of its length."""
    begin, end = part[:, :1, None], part[:, 1:, None]
    top, bottom = corners[:, 0:1], corners[:, 3:4]
    to_right, below = corners[:, 1:2] - top, corners[:, 2:3] - bottom
    return np.concatenate(
        (top + to_right * begin, top + to_right * end, bottom + below * end, bottom + below * begin), axis=1
    )


def _slices(corners: F64, across: F64, image: U8) -> tuple[list[list[int]], list[bool]]:
    """The part of the image that each line needs, as [x0, y0, x1, y1], and whether it only has to be scaled.

    A level line is the rectangle between the middles of its sides. Any other line needs everything that its corners enclose,
    and a pixel more for the interpolation.
    """
    height, width = image.shape[:2]
    turned = np.roll(corners, -1, axis=1)
    # Edges top, right, bottom, left: how far each strays from its own direction.
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
        # A warp samples single pixels and skips those between, so thin strokes of large type would be lost.
        before = part.shape[1], part.shape[0]
        size = (max(before[0] // shrink, 1), max(before[1] // shrink, 1))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        corners = corners * (size[0] / before[0], size[1] / before[1])
    target = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    transform = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    cv2.warpPerspective(
        part, transform, (width, height), dst=line, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
