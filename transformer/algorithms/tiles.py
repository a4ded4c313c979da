"""Cuts a large page into tiles, if the network would need too much memory for the whole page, and joins their maps.

Tiles overlap, and the map of each is used up to the middle of the overlap. No line is cut or doubled at a seam, because the
boxes are found in the whole map.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformer.algorithms.det_input import scaled

if TYPE_CHECKING:
    from ppocr.contract import U8

#: Longest side of a tile, and how far neighbours overlap at least [pixels of the network's input].
TILE = 1280
OVERLAP = 128
#: A part of the page whose values differ by no more than this is blank.
BLANK = 12


@dataclass(frozen=True)
class Span:
    """Where a tile lies along one side, and which part of its map is used."""

    start: int
    end: int
    used_from: int
    used_to: int

    def of(self, ratio: float) -> slice:
        """Where it lies in an image whose side is `ratio` times as long; at least one pixel."""
        start = round(self.start * ratio)
        return slice(start, max(round(self.end * ratio), start + 1))


@dataclass(frozen=True)
class Tile:
    """A tile of the network's input."""

    rows: Span
    columns: Span

    @property
    def pixels(self) -> int:
        return (self.rows.end - self.rows.start) * (self.columns.end - self.columns.start)


def tiles(height: int, width: int, step: int, longest: int) -> list[Tile]:
    """The tiles of an input of `height` by `width`, which are multiples of `step`. It is one tile if neither side is over
    `longest`."""
    down, right = list(_spans(height, step, longest)), list(_spans(width, step, longest))
    return [Tile(rows, columns) for rows in down for columns in right]


def _spans(length: int, step: int, longest: int) -> Iterator[Span]:
    count = 1 if length <= longest else -(-(length - OVERLAP) // (longest - OVERLAP))
    size = -(-(length + (count - 1) * OVERLAP) // (count * step)) * step
    starts = [round(i * (length - size) / max(count - 1, 1) / step) * step for i in range(count)]
    seams = [0, *((before + size + after) // 2 for before, after in itertools.pairwise(starts)), length]
    for start, (used_from, used_to) in zip(starts, itertools.pairwise(seams), strict=True):
        yield Span(start, start + size, used_from, used_to)


def is_blank(image: U8, height: int, width: int, tile: Tile) -> bool:
    """Whether the part of `image` that `tile` shows is blank: no two values differ by more than BLANK."""
    part = _part(image, height, width, tile)
    return int(part.max()) - int(part.min()) <= BLANK


def scaled_tile(image: U8, height: int, width: int, tile: Tile) -> U8:
    """The part of `image` U8 [H,W,3] that `tile` shows, scaled as if the image were `height` by `width`: U8 [h,w,3]."""
    return scaled(
        _part(image, height, width, tile), tile.rows.end - tile.rows.start, tile.columns.end - tile.columns.start
    )


def _part(image: U8, height: int, width: int, tile: Tile) -> U8:
    return image[tile.rows.of(image.shape[0] / height), tile.columns.of(image.shape[1] / width)]


def paste(whole: U8, part: U8, tile: Tile) -> None:
    """Puts the used part of a tile's map U8 [h,w] into the map of the page."""
    rows, columns = tile.rows, tile.columns
    whole[rows.used_from : rows.used_to, columns.used_from : columns.used_to] = part[
        rows.used_from - rows.start : rows.used_to - rows.start,
        columns.used_from - columns.start : columns.used_to - columns.start,
    ]
