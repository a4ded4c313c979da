"""The maximum size of a page for detection: limited by the service, and by the page's own resolution."""

from __future__ import annotations

import math

from ppocr.listen import PageSettings

#: The limit if the settings give no other.
DEFAULT_MAX_PIXELS = PageSettings.max_detection_pixels
#: Any image may be enlarged to USUAL_PIXELS, the pixels of a usual page, or to ENLARGED times its own pixels. Up to four times
#: per side, enlarging helps the network to find small text; beyond that it adds no text, only pixels to compute.
USUAL_PIXELS = 960 * 960
ENLARGED = 16


def most_pixels(height: int, width: int, limit: int) -> int:
    """How many pixels an image of `height` x `width` may have when it is scaled for detection; never more than `limit`."""
    return min(limit, max(USUAL_PIXELS, ENLARGED * height * width))


def bounded_ratio(height: int, width: int, ratio: float, limit: int) -> float:
    """`ratio`, or the largest one by which `height` x `width` comes to no more than `most_pixels`."""
    return min(ratio, math.sqrt(most_pixels(height, width, limit) / (height * width)))
