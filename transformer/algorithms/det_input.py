"""The image as the detection network takes it: scaled to the limit, both sides on the network's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from ppocr.contract import Axis, Grid
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.page_size import DEFAULT_MAX_PIXELS, bounded_ratio

if TYPE_CHECKING:
    from ppocr.contract import U8

#: A page that is shrunk more than this is halved first; otherwise interpolation would skip pixels, and lose thin strokes.
HALVED = 2.0


def det_size(
    height: int, width: int, grid: Grid, parameters: DetectionParameters, limit: int = DEFAULT_MAX_PIXELS
) -> tuple[int, int]:
    """(h, w) of the network's input, after PaddleOCR's DetResizeForTest.

    `max` shrinks a page whose longer side is over the limit; `min` enlarges one whose shorter side is under it. The result is
    shrunk further if it exceeds the grid's longest side or `limit` pixels, and each side is rounded to the nearest length of
    the grid. This may change the aspect ratio a little, so boxes are scaled back by a factor for each side.
    """
    if parameters.limit_type == "max":
        ratio = min(1.0, parameters.limit_side_len / max(height, width))
    else:
        ratio = max(1.0, parameters.limit_side_len / min(height, width))
    ratio = bounded_ratio(height, width, min(ratio, grid.height.maximum / max(height, width)), limit)
    return on_grid(height * ratio, width * ratio, grid, limit)


def on_grid(height: float, width: float, grid: Grid, limit: int) -> tuple[int, int]:
    """The sides of the grid that are nearest to `height` and `width`, or where these have more than `limit` pixels, the longer
    side's next ones below."""
    h, w = on_axis(height, grid.height), on_axis(width, grid.width)
    while h * w > limit:  # because sides were rounded up
        h, w = (h - grid.height.step, w) if h > w else (h, w - grid.width.step)
    return h, w


def det_input(image: U8, grid: Grid, parameters: DetectionParameters, limit: int = DEFAULT_MAX_PIXELS) -> U8:
    """`image` U8 [H,W,3] → U8 [h,w,3] of a size on the grid and `limit` pixels at most. The image itself if it fits."""
    height, width = image.shape[:2]
    return scaled(image, *det_size(height, width, grid, parameters, limit))


def scaled(image: U8, height: int, width: int) -> U8:
    """`image` U8 [H,W,3] → U8 [height,width,3]. The image itself if it has that size."""
    if image.shape[:2] == (height, width):
        return image
    while image.shape[0] * image.shape[1] > HALVED**2 * height * width and min(image.shape[:2]) > 1:
        image = _halved(image)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _halved(image: U8) -> U8:
    """Means of 2x2 pixels, without the last row or column of an odd number. It takes a tenth of the time of any other ratio."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    return cv2.resize(  # type: ignore[return-value]
        image[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA
    )


def on_axis(length: float, axis: Axis) -> int:
    """The length of the axis that is nearest to `length`."""
    return max(round(int(length) / axis.step) * axis.step, axis.minimum)
