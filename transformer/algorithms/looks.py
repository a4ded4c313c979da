"""The input size for detection, and whether detection must run again at a larger size.

A look is one run of detection on the page, at one input size. The first look is as small as the model's parameters say, which
is enough for most pages. Detection misses lines that are only a few pixels high. So if the print that was found is low, another
look follows, at a size at which the low lines are high enough. Long pages and strips are scaled by their short side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import Grid
from transformer.algorithms.det_input import det_size, on_grid
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.page_size import DEFAULT_MAX_PIXELS
from transformer.algorithms.tiles import TILE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

#: A page this many times longer than wide is scaled by its short side.
LONG_PAGE = 4.0
#: Short side of such a page, at most [pixels].
SHORT_SIDE = 640.0
#: The percentile of the lines' print heights that decides.
LOW_LINES = 25.0
#: If it is lower, lines are missed and letters cut off [pixels of the map, from the highest to the lowest pixel with ink].
TOO_LOW = 6.5
#: The same after a closer look.
STILL_TOO_LOW = 6.0
#: The height to which a closer look scales it.
READABLE = 10.0
#: How many times closer the next look is if the page was shrunk and nothing was found.
EMPTY_ZOOM = 2.5
#: If nothing was found on a page that was shrunk less than this, a closer look wouldn't find anything either.
SHRUNK = 1.5
#: A look that isn't this many times closer isn't worth its time.
MIN_ZOOM = 1.2
#: No look is larger than this many times the page.
MAX_ENLARGED = 1.0
#: Looks at one page, at most.
MAX_LOOKS = 3


@dataclass(frozen=True)
class Look:
    """Size of the network's input in pixels, both on its grid; `limited` if `max_pixels` allowed no larger one.

    `longest_tile`: an input with a longer side is cut into tiles. `too_low`: lines lower than this need a closer look.
    """

    height: int
    width: int
    limited: bool = False
    longest_tile: int = TILE
    too_low: float = STILL_TOO_LOW


@dataclass(frozen=True)
class Looks:
    """Chooses the looks at a page of `height` by `width` pixels. None has more than `max_pixels`; each tile, and a look that
    isn't cut into tiles, has at most `max_tile_pixels`."""

    height: int
    width: int
    grid: Grid
    parameters: DetectionParameters
    max_pixels: int
    max_tile_pixels: int = DEFAULT_MAX_PIXELS

    def first(self, one_look: bool) -> Look:
        """The first look. `one_look`: the request sets its size, whatever the shape of the page."""
        if one_look or max(self.height, self.width) <= LONG_PAGE * min(self.height, self.width):
            height, width = det_size(self.height, self.width, self.grid, self.parameters, self.max_tile_pixels)
            return Look(height, width, longest_tile=max(height, width), too_low=TOO_LOW)
        return replace(self._look(min(1.0, SHORT_SIDE / min(self.height, self.width))), too_low=TOO_LOW)

    def closer(self, last: Look, heights: F64) -> Look | None:
        """The next look after `last`, which found print of `heights` F64 [N] in pixels of the page; None if none is needed."""
        wanted = self._wanted(last, heights)
        if wanted is None or last.limited:
            return None
        look = self._look(wanted)
        return look if look.height * look.width >= MIN_ZOOM * last.height * last.width else None

    def warning(self, last: Look, heights: F64) -> str | None:
        """The warning for a page whose `last` look found print of `heights` F64 [N] and was limited, although a closer one was
        needed; None if it wasn't."""
        wanted = self._wanted(last, heights)
        if wanted is None or not (last.limited or self._look(wanted).limited):
            return None
        height, width = round(self.height * wanted), round(self.width * wanted)
        return (
            f"small text may be missing: to find it, detection would need the page in {width}x{height} pixels, and "
            f"max_page_pixels is {self.max_pixels:,}"
        )

    def is_closest(self, last: Look) -> bool:
        """Whether no look could be much closer than `last`."""
        return max(last.height / self.height, last.width / self.width) * MIN_ZOOM > MAX_ENLARGED

    def _wanted(self, last: Look, heights: F64) -> float | None:
        """The scale at which the page should be looked at next; None if `last` is good enough."""
        ratio = max(last.height / self.height, last.width / self.width)
        if not len(heights):
            # Only once: an image in which nothing is found usually has no text, but may also have print that is too small.
            wanted = ratio * EMPTY_ZOOM if ratio * SHRUNK <= 1 and last.too_low == TOO_LOW else ratio
        else:
            low = max(float(np.percentile(heights, LOW_LINES)) * ratio, 1.0)
            wanted = ratio * READABLE / low if low < last.too_low else ratio
        wanted = min(wanted, max(MAX_ENLARGED, ratio))
        return wanted if wanted >= ratio * MIN_ZOOM else None

    def _look(self, ratio: float) -> Look:
        fits = min(1.0, (self.max_pixels / (self.height * self.width * ratio * ratio)) ** 0.5)
        ratio *= fits
        return Look(
            *on_grid(self.height * ratio, self.width * ratio, self.grid, self.max_pixels),
            limited=fits < 1,
            longest_tile=min(TILE, math.isqrt(self.max_tile_pixels) // self.grid.height.step * self.grid.height.step),
        )
