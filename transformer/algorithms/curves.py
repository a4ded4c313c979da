"""Curved lines in the probability map of a detection network.

A region that fills little of its smallest enclosing rectangle may be a curved line. Distances inside the region, from one of
its ends, divide it into slices; the centres of the slices make the centre line. The network's regions are shrunken lines, so
the ribbon around the centre line is grown by the same distance as a rectangle would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from transformer.algorithms.boxes import MIN_POINTS, MIN_SIDE, of_outlines, outlines
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.ribbons import Ribbon, along

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32, U8

    F64 = NDArray[np.float64]
    Outline = NDArray[Any]

#: A region that fills more of its rectangle is straight.
SOLID = 0.85
#: The network blurs the inside of curves, so curved regions are those above this probability.
SURE = 0.6
#: The distance from the outline at this probability to the outline at the usual threshold [pixels of the map].
RAMP = 1.0
#: A line is curved where its centre line strays from its chord by this part of the region's height.
BENT = 0.25
#: Outline pixels of all regions together that are tried, because the time is proportional to them: 30 times the side of a
#: usual map.
MAX_OUTLINE = 30_000
#: How many times the area of the map is searched for curves, at most: the rectangles around long slanted lines overlap, and
#: each of hundreds may be as large as the map.
MAX_LOOKED = 16
#: Points of a centre line, at most; and how far apart they are [heights of the line].
MAX_POINTS = 64
POINT_SPACING = 0.5
#: Points by which a line is extended at each end; also the most points of each of the pieces that tell how it bends there.
ENDING = 4


def find_curved(probability: U8, size: tuple[int, int], parameters: DetectionParameters) -> tuple[F32, list[Ribbon]]:
    """The boxes of the straight lines of a map U8 [h,w], as from `boxes`, and the ribbons of the curved lines on the page."""
    straight: list[Outline] = []
    ribbons: list[Ribbon] = []
    tried, looked = 0.0, 0
    for whole in outlines(probability, parameters):
        _, _, w, h = cv2.boundingRect(whole)
        looked += w * h
        if looked > MAX_LOOKED * probability.size:
            straight.append(whole)
            continue
        region = _Region.of(whole, probability, SURE)
        if region.is_straight:
            straight.append(whole)
            continue
        parts = _sure(region) or [whole]
        for outline in parts:
            ribbon = None
            length = cv2.arcLength(outline, True)
            if tried + length <= MAX_OUTLINE:
                part = region if outline is whole else _Region.of(outline, probability, SURE)
                if not part.is_straight:
                    tried += length
                    ribbon = _ribbon(part, probability.shape, size, parameters)
            if ribbon is None:
                straight.append(outline if len(parts) > 1 else whole)
            else:
                ribbons.append(ribbon)
    return of_outlines(straight, probability, size, parameters), ribbons


@dataclass(frozen=True)
class _Region:
    """One region of the map. `part` is the map in the bounding rectangle, whose corner is (x, y). `mask` is 1 where the region
    is, and `filled` also in its holes. All are U8 [h,w]."""

    x: int
    y: int
    part: U8
    mask: U8
    filled: U8
    is_straight: bool

    @classmethod
    def of(cls, outline: Outline, probability: U8, above: float) -> _Region:
        x, y, w, h = cv2.boundingRect(outline)
        part = probability[y : y + h, x : x + w]
        filled = np.zeros((h, w), np.uint8)
        cv2.drawContours(filled, [outline - (x, y)], 0, 1, cv2.FILLED)
        mask = filled & (part > int(above * 255))
        _, (width, height), _ = cv2.minAreaRect(outline)
        # Outlines go through the centres of pixels, so half a pixel is added on each side.
        is_straight = cv2.countNonZero(mask) >= SOLID * (width + 1) * (height + 1)
        return cls(x, y, part, mask, filled, is_straight)


def _sure(region: _Region) -> list[Outline]:
    """The outlines of the parts of a region that are above SURE."""
    found, _ = cv2.findContours(region.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(region.x, region.y))
    return [each for each in found if len(each) >= MIN_POINTS]


def _ribbon(
    region: _Region, map_size: tuple[int, ...], size: tuple[int, int], parameters: DetectionParameters
) -> Ribbon | None:
    """The ribbon of one region; None if it isn't curved, or isn't text."""
    mask = region.mask.copy()
    if cv2.mean(region.part, mask)[0] < parameters.box_thresh * 255:
        return None
    _open_ring(mask, region.filled, region.part)
    found = _centre_line(mask)
    if found is None:
        return None
    centres, before, behind = found
    length = float(np.hypot(*np.diff(centres, axis=0).T).sum()) + before + behind
    core = cv2.countNonZero(mask) / max(length, 1.0)
    grow = parameters.unclip_ratio * core * length / (2 * (core + length))
    half = core / 2 + grow
    if core < MIN_SIDE or length < 2 * half or _stray(centres) < BENT * core:
        return None
    centres = _extended(centres, before + grow + RAMP, behind + grow + RAMP)
    count = int(np.clip(round(length / (2 * half * POINT_SPACING)), 4, MAX_POINTS))
    centres = _resampled(centres, count)
    (height, width), (map_height, map_width) = size, map_size
    scale = np.array((width / map_width, height / map_height))
    return along((centres + np.array((region.x, region.y))) * scale, half * float(scale.mean()))


def _open_ring(mask: U8, filled: U8, part: U8) -> None:
    """Cuts a closed ring where the network sees the least text, so that it has two ends."""
    hole = filled & (1 - mask)
    if cv2.countNonZero(hole) < cv2.countNonZero(mask):
        return
    ys, xs = np.nonzero(hole)
    cy, cx = ys.mean(), xs.mean()
    y, x = np.nonzero(mask)
    angle = np.degrees(np.arctan2(y - cy, x - cx)).astype(int) % 360
    values = np.bincount(angle, part[y, x], 360) / np.maximum(np.bincount(angle, minlength=360), 1)
    weakest = np.radians(int(np.convolve(np.concatenate((values, values[:8])), np.ones(9), "valid").argmin()) + 4.5)
    far = float(sum(mask.shape))
    end = (round(cx + far * np.cos(weakest)), round(cy + far * np.sin(weakest)))
    cv2.line(mask, (round(cx), round(cy)), end, 0, 3)


def _centre_line(mask: U8) -> tuple[F64, float, float] | None:
    """Points F64 [K,2] (x, y) from the left end of a region to its right end, and how far the region extends before the first
    and behind the last of them; None if it doesn't have two ends."""
    ys, xs = np.nonzero(mask)
    if not len(xs):
        return None
    seed = (int(ys[0]), int(xs[0]))
    # The pixel that is furthest from an arbitrary pixel is an end.
    for _ in range(2):
        distance = _distances(mask, seed)
        seed = tuple(np.unravel_index(int(distance.argmax()), distance.shape))  # type: ignore[assignment]
    distance = _distances(mask, seed)
    y, x = np.nonzero(distance >= 0)
    steps = distance[y, x]
    thickness = max(len(x) / max(int(steps.max()), 1), 1.0)
    slices = (steps / max(thickness / 2, 1.0)).astype(int)
    count = np.bincount(slices)
    used = count > 0
    centres = np.stack([(np.bincount(slices, each)[used] / count[used]) for each in (x, y)], axis=1)
    if len(centres) < 4:
        return None
    far = np.bincount(slices, steps)[used] / count[used]
    if len(centres) > 5:
        # The first and the last slice are corners of the region rather than parts of the line.
        centres, far = centres[1:-1], far[1:-1]
    before, behind = float(far[0]), float(steps.max() - far[-1])
    centres = _smooth(centres)
    return (centres, before, behind) if centres[-1, 0] >= centres[0, 0] else (centres[::-1], behind, before)


def _distances(mask: U8, seed: tuple[int, int]) -> NDArray[np.int32]:
    """Steps from `seed` (y, x) to each pixel of its region, inside the region; -1 elsewhere. INT32 [h,w]."""
    # With a border, so that no neighbour is outside.
    padded = np.pad(mask, 1).view(np.bool_)
    free, width = padded.ravel(), padded.shape[1]
    found, last = np.full(free.shape, -1, np.int32), np.empty(free.shape, np.int32)
    cross = np.array((-width, -1, 1, width))
    square = np.concatenate((cross, (-width - 1, -width + 1, width - 1, width + 1)))
    front, step = np.array(((seed[0] + 1) * width + seed[1] + 1,)), 0
    while len(front):
        found[front], free[front] = step, False
        step += 1
        # Used alternately, the two neighbourhoods make octagons, which are nearly circles.
        near = (front[:, None] + (square if step % 2 else cross)).ravel()
        near = near[free[near]]
        # Each pixel once: quicker than np.unique for the short arrays that fronts are.
        order = np.arange(len(near))
        last[near] = order
        front = near[last[near] == order]
    return found.reshape(padded.shape)[1:-1, 1:-1]


def _smooth(centres: F64) -> F64:
    """The mean of each point and its two neighbours; the ends stay."""
    smooth = centres.copy()
    smooth[1:-1] = (centres[:-2] + centres[1:-1] + centres[2:]) / 3
    return smooth


def _extended(centres: F64, before: float, behind: float) -> F64:
    """The line extended at both ends, with the curvature that it has there."""
    return np.concatenate((_beyond(centres[::-1], before)[::-1], centres, _beyond(centres, behind)))


def _beyond(centres: F64, by: float) -> F64:
    """The points F64 [ENDING,2] that extend a line by the length `by` after its last point."""
    reach = max(1, min((len(centres) - 1) // 2, ENDING))
    last, one_before = centres[-1] - centres[-1 - reach], centres[-1 - reach] - centres[-1 - 2 * reach]
    turn = np.arctan2(*last[::-1]) - np.arctan2(*one_before[::-1])
    # The middles of the two pieces are as far apart as the mean length of the pieces.
    length = (np.hypot(*last) + np.hypot(*one_before)) / 2
    bend = float((turn + np.pi) % (2 * np.pi) - np.pi) / max(float(length), 1e-9)
    step = by / ENDING
    # From the middle of its last piece to its last point, the line has turned further.
    angles = np.arctan2(*last[::-1]) + bend * (float(np.hypot(*last)) / 2 + step * (np.arange(ENDING) + 0.5))
    points: F64 = centres[-1] + np.cumsum(np.stack((np.cos(angles), np.sin(angles)), axis=1) * step, axis=0)
    return points


def _resampled(centres: F64, count: int) -> F64:
    """`count` points, equally far apart along the line."""
    place = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(centres, axis=0).T))))
    stations = np.linspace(0, place[-1], count)
    return np.stack([np.interp(stations, place, centres[:, axis]) for axis in (0, 1)], axis=1)


def _stray(centres: F64) -> float:
    """The largest distance of the line from its chord."""
    chord = centres[-1] - centres[0]
    offset = centres - centres[0]
    length = float(np.hypot(*chord))
    if length < 1:
        return float(np.hypot(*offset.T).max())
    return float(np.abs(offset[:, 0] * chord[1] - offset[:, 1] * chord[0]).max() / length)
