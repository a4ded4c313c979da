from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from transformer.algorithms.boxes import boxes as straight_boxes
from transformer.algorithms.curves import find_curved
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.ribbons import Ribbon, along

OWN = DetectionParameters(thresh=0.3, box_thresh=0.6, unclip_ratio=1.5)
U8 = NDArray[np.uint8]


def arc(start: float, end: float, radius: float = 120, thickness: int = 12) -> U8:
    """A map of an arc of a circle round (200, 200); degrees clockwise from the right."""
    probability = np.zeros((400, 400), np.uint8)
    cv2.ellipse(probability, (200, 200), (int(radius), int(radius)), 0, start, end, 255, thickness)
    return probability


def curved(probability: U8, scale: float = 1) -> list[Ribbon]:
    size = (round(probability.shape[0] * scale), round(probability.shape[1] * scale))
    boxes, ribbons = find_curved(probability, size, OWN)
    assert not len(boxes)
    return ribbons


def middle(ribbon: Ribbon) -> NDArray[np.float64]:
    return (ribbon.top + ribbon.bottom) / 2


@pytest.mark.parametrize(("start", "end"), [(200, 340), (180, 360), (110, 430), (240, 300)])
def test_an_arc_over_the_top_is_read_from_the_left_with_its_outside_up(start: float, end: float) -> None:
    [ribbon] = curved(arc(start, end))
    radius = np.hypot(*(middle(ribbon) - 200).T)
    assert np.abs(radius - 120).max() < 6
    assert np.hypot(*(ribbon.top - 200).T).mean() > 125
    assert np.hypot(*(ribbon.bottom - 200).T).mean() < 115
    assert middle(ribbon)[0, 0] < middle(ribbon)[-1, 0]
    # Grown as a rectangle is: by area · ratio / perimeter.
    length, core = np.radians(end - start) * 120, 13
    grow = 1.5 * core * length / (2 * (core + length))
    assert ribbon.height == pytest.approx(core + 2 * grow, rel=0.15)
    assert ribbon.length == pytest.approx(length + 2 * grow, rel=0.1)


@pytest.mark.parametrize(("start", "end"), [(200, 340), (240, 300)])
def test_a_ribbon_reaches_over_both_ends_as_far_as_over_the_sides_and_stays_on_the_circle(
    start: float, end: float
) -> None:
    [ribbon] = curved(arc(start, end))
    ends = middle(ribbon)[[0, -1]] - 200
    angles = np.degrees(np.arctan2(*ends.T[::-1])) % 360
    over = np.radians((start - angles[0], angles[1] - end)) * 120
    # The ends of the drawn arc are round, by half of its thickness.
    assert over == pytest.approx([6 + (ribbon.height - 13) / 2] * 2, abs=3)
    assert np.hypot(*ends.T) == pytest.approx([120, 120], abs=3)


def test_an_arc_below_is_read_from_the_left_with_its_inside_up() -> None:
    [ribbon] = curved(arc(30, 150))
    assert middle(ribbon)[0, 0] < middle(ribbon)[-1, 0]
    assert np.hypot(*(ribbon.top - 200).T).mean() < 115


def test_a_closed_ring_is_cut_where_the_map_is_weakest() -> None:
    probability = arc(0, 360)
    probability[310:330, 190:210] = np.minimum(probability[310:330, 190:210], 100)
    [ribbon] = curved(probability)
    ends = middle(ribbon)[[0, -1]]
    assert np.abs(ends - (200, 320)).max() < 45
    assert ribbon.length == pytest.approx(2 * np.pi * 120, rel=0.12)


def test_points_count_in_pixels_of_the_page() -> None:
    [small], [large] = curved(arc(200, 340)), curved(arc(200, 340), 3)
    np.testing.assert_allclose(large.top, small.top * 3, atol=1)


def test_straight_lines_are_found_as_without_curves() -> None:
    probability = np.zeros((400, 400), np.uint8)
    for angle, y in ((0, 50), (10, 150), (-30, 300)):
        corners = cv2.boxPoints(((200.0, float(y)), (250.0, 14.0), float(angle)))
        cv2.fillConvexPoly(probability, corners.astype(np.int32), 255)
    boxes, ribbons = find_curved(probability, (400, 400), OWN)
    assert not ribbons and boxes.tolist() == straight_boxes(probability, (400, 400), OWN).tolist()


def test_a_weak_region_is_no_text() -> None:
    assert not curved((arc(200, 340) * 0.5).astype(np.uint8))


def test_a_ribbon_is_laid_straight() -> None:
    """Rings of a target become bands, and spokes stand upright."""
    y, x = np.mgrid[0:400, 0:400]
    image = np.zeros((400, 400, 3), np.uint8)
    image[..., 0] = np.clip(np.hypot(x - 200, y - 200), 0, 255)
    turn = np.radians(np.linspace(200, 340, 64))
    ribbon = along(200 + 120 * np.stack((np.cos(turn), np.sin(turn)), axis=1), 20)
    straight = ribbon.straightened(image)
    assert straight.shape == (ribbon.height, ribbon.length, 3)
    assert straight[2, 8:-8, 0].std() < 1.5 and abs(int(straight[0, 100, 0]) - 139) <= 2
    assert abs(int(straight[-1, 100, 0]) - 100) <= 2


def test_a_part_of_a_ribbon_has_an_outline_on_the_page() -> None:
    turn = np.radians(np.linspace(180, 360, 64))
    ribbon = along(200 + 120 * np.stack((np.cos(turn), np.sin(turn)), axis=1), 20)
    half = np.array(((0, 0), (ribbon.length / 2, 0), (ribbon.length / 2, 40), (0, 40)), np.float32)
    outline = ribbon.outline(half)
    assert len(outline) >= 32 and outline[:, 0].max() <= 202
    assert outline[0] == pytest.approx((60, 200), abs=3) and outline[-1] == pytest.approx((100, 200), abs=3)
    upside_down = ribbon.outline(np.roll(half, 2, axis=0))
    assert upside_down[0] == pytest.approx((200, 100), abs=3)


@pytest.mark.parametrize("cell", [1, 2, 4, 16])
def test_noise_takes_bounded_time(cell: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (960 // cell, 960 // cell)).astype(np.uint8)
    probability = np.asarray(cv2.resize(noise, (960, 960), interpolation=cv2.INTER_NEAREST), np.uint8)
    start = time.thread_time()
    find_curved(probability, (960, 960), DetectionParameters(thresh=0.5, box_thresh=0))
    assert time.thread_time() - start < 4


def test_rectangles_that_overlap_take_bounded_time() -> None:
    side = 3000
    probability = np.zeros((side, side), np.uint8)
    for radius in range(12, side // 2, 12):
        cv2.ellipse(probability, (side // 2, side // 2), (radius, radius), 0, 20, 340, 255, 6)
    straight, curved = [], []
    for _ in range(3):  # in turns, and the least of each: what runs beside slows both
        began = time.thread_time()
        straight_boxes(probability, (side, side), OWN)
        between = time.thread_time()
        find_curved(probability, (side, side), OWN)
        straight.append(between - began)
        curved.append(time.thread_time() - between)
    assert min(curved) < 2 * min(straight) + 0.5


def test_a_spiral_takes_bounded_time() -> None:
    turns = np.linspace(4 * np.pi, 70 * np.pi, 20_000)
    points = np.rint(480 + 2.0 * turns[:, None] * np.stack((np.cos(turns), np.sin(turns)), axis=1)).astype(np.int32)
    probability = np.zeros((960, 960), np.uint8)
    cv2.polylines(probability, [points], False, 255, 5)
    began = time.thread_time()
    boxes, ribbons = find_curved(probability, (960, 960), OWN)
    assert time.thread_time() - began < 0.5
    assert len(boxes) + len(ribbons) <= 1
