"""Boxes of text from the probability map of a DB detection network: threshold, contours, rectangles, score, unclip.

The steps and constants are those of PaddleOCR's DBPostProcess (curves.py has the polygons), with three differences:

- The map is uint8. A threshold t keeps what is above 255·t.
- The grown rectangle is computed directly, without Clipper. The outline that Clipper draws around a rectangle, with round
  joins, has that rectangle, grown by `distance` on each side, as its smallest enclosing one (measured: within 0.003 pixels).
  PaddleOCR gives Clipper whole pixels, which moves its boxes by half a pixel to the top left and turns them a little:
  its corners are 1.2 pixels of the map away on average. Here nothing is rounded.
- Outlines of holes aren't candidates, because what a hole encloses is not text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from transformer.algorithms.detection_parameters import DetectionParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32, U8

    F64 = NDArray[np.float64]
    Outline = NDArray[Any]

#: A text's core is at least this wide and high, and its grown box MIN_SIDE + 2 [pixels of the map].
MIN_SIDE = 3.0
#: A box of this width or height, or less, is dropped [pixels of the original image].
TINY = 3.0
#: A contour of fewer points is a line or a dot.
MIN_POINTS = 3


def boxes(probability: U8, size: tuple[int, int], parameters: DetectionParameters) -> F32:
    """Boxes of text, in no particular order.

    Args:
        probability: U8 [h,w], 255 = certainly text.
        size: (H, W) of the page. The boxes are in its pixels.
        parameters: thresholds, and how far boxes are grown.

    Returns:
        F32 [N,4,2], corners (x, y) in the order top left, top right, bottom right, bottom left, inside the page.
    """
    return of_outlines(outlines(probability, parameters), probability, size, parameters)


def outlines(probability: U8, parameters: DetectionParameters) -> list[Outline]:
    """The outlines of the map's connected regions above the threshold; the longest `max_candidates` if there are more.

    Where a network recognises nothing, it may mark thousands of specks, which must not crowd out the text elsewhere.
    """
    _, mask = cv2.threshold(probability, int(parameters.thresh * 255), 255, cv2.THRESH_BINARY)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    candidates = [contour for contour in contours if len(contour) >= MIN_POINTS]
    if len(candidates) > parameters.max_candidates:
        candidates.sort(key=lambda contour: cv2.arcLength(contour, True), reverse=True)
    return candidates[: parameters.max_candidates]


def of_outlines(
    found: Sequence[Outline], probability: U8, size: tuple[int, int], parameters: DetectionParameters
) -> F32:
    """As `boxes`, but only of these outlines."""
    rectangles = [cv2.minAreaRect(outline) for outline in found]
    cores = np.array([(x, y, w, h, angle) for (x, y), (w, h), angle in rectangles], np.float64).reshape(-1, 5)
    cores = cores[cores[:, 2:4].min(axis=1, initial=np.inf) >= MIN_SIDE]
    cores = cores[_scores(probability, _corners(cores)) >= parameters.box_thresh * 255]
    grown = _unclip(cores, parameters.unclip_ratio)
    grown = grown[grown[:, 2:4].min(axis=1, initial=np.inf) >= MIN_SIDE + 2]
    (height, width), (h, w) = size, probability.shape
    corners = _corners(grown) * (width / w, height / h)
    np.clip(corners, 0, (width - 1, height - 1), out=corners)
    sides = np.minimum(_length(corners, 0, 1), _length(corners, 0, 3))
    large: F32 = corners[sides > TINY].astype(np.float32)
    return large


def _corners(rectangles: F64) -> F64:
    """Corners F64 [N,4,2], top left, top right, bottom right, bottom left, of rectangles F64 [N,5]: centre, size, degrees.

    The order is that of PaddleOCR's `get_mini_boxes`: of the two leftmost corners the upper one is the top left; of the
    two rightmost the upper one is the top right.
    """
    centre, w, h, angle = rectangles[:, 0:2], rectangles[:, 2], rectangles[:, 3], np.radians(rectangles[:, 4])
    cos, sin = np.cos(angle) / 2, np.sin(angle) / 2
    along = np.stack((w * cos, w * sin), axis=1)
    across = np.stack((-h * sin, h * cos), axis=1)
    corners = np.stack((-along - across, along - across, along + across, across - along), axis=1) + centre[:, None]
    corners = np.take_along_axis(corners, np.argsort(corners[:, :, 0], axis=1, kind="stable")[:, :, None], axis=1)
    y = corners[:, :, 1]
    left, right = y[:, 1] < y[:, 0], y[:, 3] < y[:, 2]
    order = np.stack((left, 2 + right, 3 - right, 1 - left), axis=1).astype(np.intp)
    return np.take_along_axis(corners, order[:, :, None], axis=1)


def _scores(probability: U8, corners: F64) -> F64:
    """Mean of the map inside each rectangle (F64 [N]), 0 to 255: PaddleOCR's `box_score_fast`."""
    h, w = probability.shape
    low = np.floor(corners.min(axis=1)).astype(np.int32).clip(0, (w - 1, h - 1))
    high = np.ceil(corners.max(axis=1)).astype(np.int32).clip(0, (w - 1, h - 1)) + 1
    polygons = (corners - low[:, None]).astype(np.int32)
    scores = np.empty(len(corners))
    for i, ((x0, y0), (x1, y1), polygon) in enumerate(zip(low.tolist(), high.tolist(), polygons, strict=True)):
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillConvexPoly(mask, polygon, 1)
        scores[i] = cv2.mean(probability[y0:y1, x0:x1], mask)[0]
    return scores


def _unclip(cores: F64, ratio: float) -> F64:
    """Each rectangle grown on all sides by area · ratio / perimeter."""
    w, h = cores[:, 2], cores[:, 3]
    grown = cores.copy()
    grown[:, 2:4] += (ratio * w * h / np.maximum(w + h, 1e-9))[:, None]
    return grown


def _length(corners: F64, a: int, b: int) -> F64:
    return np.hypot(corners[:, a, 0] - corners[:, b, 0], corners[:, a, 1] - corners[:, b, 1])
