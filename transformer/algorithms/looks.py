"""The input size for detection, and whether detection must run again at a larger size.

The first look is as small as the model's parameters say, which finds the lines of most pages. What is found tells whether
that was too small: detection misses lines that are a few pixels high. Then the page is looked at again, at a size
that brings its low lines to a height at which they are found. Long pages and strips are scaled by their short side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import Grid
from transformer.algorithms.det_input import det_size, on_axis
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
#: Share of the lines whose print is lower than that of the others: its height decides.
LOW_LINES = 25.0
#: If that is lower, lines are missed and letters cut off [pixels of the map, from the highest to the lowest pixel with ink].
TOO_LOW = 6.5
#: The same after a closer look.
STILL_TOO_LOW = 6.0
#: The height that a closer look gives it.
READABLE = 10.0
#: How many times closer the next look is if the page was shrunk and nothing was found.
EMPTY_ZOOM = 2.5
#: A page that was shrunk less than this has nothing more to show if nothing was found.
SHRUNK = 1.5
#: A look that isn't this many times closer isn't worth it.
MIN_ZOOM = 1.2
#: No look is larger than this many times the page.
MAX_ENLARGED = 1.0
#: Looks at one page, at most.
MAX_LOOKS = 3


@dataclass(frozen=True)
class Look:
    """Size of the network's input in pixels, both on its grid; `limited` if the budget allowed no larger one.

    `longest_tile`: the side from which on the input is cut in tiles. `too_low`: lines lower than this need a closer one.
    """

    height: int
    width: int
    limited: bool = False
    longest_tile: int = TILE
    too_low: float = STILL_TOO_LOW


@dataclass(frozen=True)
class Looks:
    """Sizes for a page of `height` by `width` pixels, none with more than `max_pixels`; a look that isn't cut in tiles has
    `max_tile_pixels` at most, and so has each tile."""

    height: int
    width: int
    grid: Grid
    parameters: DetectionParameters
    max_pixels: int
    max_tile_pixels: int = DEFAULT_MAX_PIXELS

    def first(self, one_look: bool) -> Look:
        """`one_look`: the request sets the size, whatever the page is like."""
        if one_look or max(self.height, self.width) <= LONG_PAGE * min(self.height, self.width):
            height, width = det_size(self.height, self.width, self.grid, self.parameters, self.max_tile_pixels)
            return Look(height, width, longest_tile=max(height, width), too_low=TOO_LOW)
        return replace(self._look(min(1.0, SHORT_SIDE / min(self.height, self.width))), too_low=TOO_LOW)

    def closer(self, last: Look, heights: F64) -> Look | None:
        """The next look after `last`, which found print of `heights` F64 [N] in pixels of the page; None if it saw enough."""
        wanted = self._wanted(last, heights)
        if wanted is None or last.limited:
            return None
        look = self._look(wanted)
        return look if look.height * look.width >= MIN_ZOOM * last.height * last.width else None

    def warning(self, last: Look, heights: F64) -> str | None:
        """What to tell of a page whose last look would have had to be closer, and found print of `heights` F64 [N]."""
        wanted = self._wanted(last, heights)
        if wanted is None or not (last.limited or self._look(wanted).limited):
            return None
        height, width = round(self.height * wanted), round(self.width * wanted)
        return (
            f"small text may be missing: to find it, detection would have to look at the page in {width}x{height} pixels, "
            f"and max_page_pixels is {self.max_pixels:,}"
        )

    def is_whole(self, last: Look) -> bool:
        """Whether no look could be much closer than `last`."""
        return max(last.height / self.height, last.width / self.width) * MIN_ZOOM > MAX_ENLARGED

    def _wanted(self, last: Look, heights: F64) -> float | None:
        """The scale at which the page should be looked at next; None if `last` is good enough."""
        ratio = max(last.height / self.height, last.width / self.width)
        if not len(heights):
            # Once: most images in which nothing is found have no text, and the map of print that is too small is empty too.
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
            on_axis(self.height * ratio, self.grid.height),
            on_axis(self.width * ratio, self.grid.width),
            limited=fits < 1,
            longest_tile=min(TILE, math.isqrt(self.max_tile_pixels) // self.grid.height.step * self.grid.height.step),
        )
