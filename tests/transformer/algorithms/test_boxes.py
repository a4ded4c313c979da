from __future__ import annotations

import dataclasses
import time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from transformer.algorithms.boxes import boxes
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.reading_order import reading_order

OWN = DetectionParameters(thresh=0.2, box_thresh=0.45, unclip_ratio=1.4, max_candidates=3000)
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def canvas(height: int = 160, width: int = 320) -> U8:
    return np.zeros((height, width), np.uint8)


def found(probability: U8, size: tuple[int, int] | None = None, **asked: float) -> F32:
    parameters = dataclasses.replace(OWN, **asked)
    corners = boxes(probability, size or probability.shape[:2], parameters)
    return corners[reading_order(corners)]


def paddle(probability: U8, thresh: float, box_thresh: float, ratio: float) -> list[F32]:
    """Boxes on the map, one contour at a time, as PaddleOCR's DBPostProcess describes them, before any rounding."""
    contours, _ = cv2.findContours(
        (probability > thresh * 255).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    result = []
    for contour in contours:
        rectangle = cv2.minAreaRect(contour)
        corners = clockwise(np.asarray(cv2.boxPoints(rectangle), np.float32))
        if min(rectangle[1]) < 3:
            continue
        x0, y0 = np.floor(corners.min(axis=0)).astype(int).clip(0)
        x1, y1 = np.ceil(corners.max(axis=0)).astype(int).clip(0, (probability.shape[1] - 1, probability.shape[0] - 1))
        mask = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
        cv2.fillPoly(mask, [(corners - (x0, y0)).astype(np.int32)], 1)
        if cv2.mean(probability[y0 : y1 + 1, x0 : x1 + 1], mask)[0] < box_thresh * 255:
            continue
        grown = cv2.minAreaRect(rounded(corners, ratio))
        if min(grown[1]) >= 5:
            result.append(clockwise(np.asarray(cv2.boxPoints(grown), np.float32)))
    return result


def rounded(corners: F32, ratio: float) -> F32:
    """The outline round a polygon at the distance of its area · ratio / perimeter, with round joins."""
    distance = cv2.contourArea(corners) * ratio / cv2.arcLength(corners, True)
    turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = np.stack((np.cos(turn), np.sin(turn)), axis=1) * distance
    return (corners[:, None] + circle).reshape(-1, 2).astype(np.float32)


def clockwise(corners: F32) -> F32:
    left, right = np.split(corners[np.argsort(corners[:, 0], kind="stable")], 2)
    top_left, bottom_left = left[np.argsort(left[:, 1])]
    top_right, bottom_right = right[np.argsort(right[:, 1])]
    return np.array((top_left, top_right, bottom_right, bottom_left), np.float32)


def rotated(centre: tuple[float, float], size: tuple[float, float], angle: float) -> F32:
    return np.asarray(cv2.boxPoints((centre, size, angle)), np.float32)


def text_like(seed: int) -> U8:
    """A map as a network paints it: soft-edged bars of several sizes, angles and strengths, some of them touching."""
    rng = np.random.default_rng(seed)
    probability = np.zeros((480, 640), np.float32)
    for _ in range(25):
        centre, size = rng.uniform((30, 30), (610, 450)), rng.uniform((15, 4), (180, 24))
        bar = np.zeros_like(probability)
        cv2.fillConvexPoly(
            bar, rotated(tuple(centre), tuple(size), rng.normal(0, 6)).astype(np.int32), rng.uniform(0.3, 1)
        )
        probability = np.maximum(probability, cv2.GaussianBlur(bar, (0, 0), 1.5))
    return np.rint(probability * 255).astype(np.uint8)


def test_a_bar_is_found_and_grown() -> None:
    probability = canvas()
    probability[50:71, 40:141] = 255  # pixel centres span 100 by 20
    grow = 100 * 20 * 1.4 / (2 * 120)
    expected = [[40 - grow, 50 - grow], [140 + grow, 50 - grow], [140 + grow, 70 + grow], [40 - grow, 70 + grow]]
    np.testing.assert_allclose(found(probability), [expected], atol=1e-4)


def test_boxes_count_in_pixels_of_the_original() -> None:
    probability = canvas()
    probability[50:71, 40:141] = 255
    np.testing.assert_allclose(found(probability, (320, 960)), found(probability) * (3, 2), rtol=1e-6)


@pytest.mark.parametrize("angle", [-44, -30, -10, -3, -1, 0, 1, 3, 10, 30, 44])
def test_a_turned_bar_keeps_its_angle_and_starts_top_left(angle: float) -> None:
    probability = canvas(300, 300)
    core = rotated((150, 150), (160, 24), angle)
    cv2.fillConvexPoly(probability, core.astype(np.int32), 255)
    [box] = found(probability)
    grow = 160 * 24 * 1.4 / (2 * 184)
    expected = clockwise(rotated((150, 150), (160 + 2 * grow, 24 + 2 * grow), angle))
    np.testing.assert_allclose(box, expected, atol=2.5)


def test_a_tall_bar_starts_top_left_too() -> None:
    probability = canvas()
    probability[20:141, 100:121] = 255
    [box] = found(probability)
    assert box[0].tolist() == box.min(axis=0).tolist() and box[2].tolist() == box.max(axis=0).tolist()
    assert np.ptp(box, axis=0).tolist() == pytest.approx([44, 144])


def test_a_box_at_the_border_ends_inside_the_image() -> None:
    probability = canvas()
    probability[0:15, 0:100] = probability[145:160, 220:320] = 255
    top, bottom = found(probability)
    assert top[0].tolist() == [0, 0] and bottom[2].tolist() == [319, 159]


def test_text_that_fills_the_map_is_one_box() -> None:
    [box] = found(np.full((64, 96), 255, np.uint8))
    assert box.tolist() == [[0, 0], [95, 0], [95, 63], [0, 63]]


def test_rows_come_in_reading_order() -> None:
    probability = canvas()
    for row, column in ((100, 40), (20, 200), (22, 20)):
        probability[row : row + 15, column : column + 80] = 255
    assert found(probability)[:, 0].round().astype(int).tolist() == [[12, 14], [192, 12], [32, 92]]


@pytest.mark.parametrize("shape", [(32, 32), (1, 1), (1, 300), (300, 1)])
@pytest.mark.parametrize("value", [0, 255])
def test_empty_and_tiny_maps(shape: tuple[int, int], value: int) -> None:
    found_boxes = found(np.full(shape, value, np.uint8))
    assert found_boxes.shape == (1 if value and min(shape) > 5 else 0, 4, 2) and found_boxes.dtype == np.float32


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (3, 3)])
def test_an_image_too_thin_for_text_has_no_boxes(size: tuple[int, int]) -> None:
    assert len(found(np.full((32, 960), 255, np.uint8), size)) == 0


def test_specks_and_lines_are_no_text() -> None:
    probability = canvas()
    probability[10:13, 10:13] = probability[50, 20:200] = probability[80:83, 20:200] = 255
    assert len(found(probability)) == 0
    probability[110:114, 20:200] = 255
    assert len(found(probability)) == 1


def test_thresholds() -> None:
    probability = canvas()
    probability[20:41, 20:121] = 51  # 0.2 is not above 0.2
    probability[20:41, 200:301] = 120
    probability[100:121, 20:121] = 110
    assert len(found(probability)) == 1
    assert len(found(probability, box_thresh=0.4)) == 2
    assert len(found(probability, box_thresh=0, thresh=0.19)) == 3
    assert len(found(probability, thresh=0.45)) == 1
    assert len(found(probability, thresh=1)) == 0
    np.testing.assert_allclose(found(probability, unclip_ratio=0)[0, 0], (200, 20), atol=1e-4)


def test_a_hole_is_no_candidate() -> None:
    probability = canvas()
    probability[20:140, 20:300] = 255
    probability[60:100, 60:260] = 0
    assert len(found(probability)) == 1


def test_at_most_max_candidates() -> None:
    probability = canvas()
    for row in range(0, 160, 20):
        for column in range(0, 320, 40):
            probability[row + 4 : row + 14, column + 4 : column + 34] = 255
    assert len(found(probability)) == 64
    few = dataclasses.replace(OWN, unclip_ratio=0.5, max_candidates=10)
    assert len(boxes(probability, (160, 320), few)) == 10


@pytest.mark.parametrize("seed", range(12))
def test_boxes_are_those_of_paddleocr(seed: int) -> None:
    probability = text_like(seed)
    expected = np.array(paddle(probability, 0.2, 0.45, 1.4)).clip(0, (639, 479))
    got = found(probability)
    assert len(got) == len(expected)
    for box in got:
        assert np.abs(expected - box).max(axis=(1, 2)).min() < 0.02


@pytest.mark.parametrize("cell", [1, 2, 4])
def test_noise_takes_bounded_time(cell: int) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (960 // cell, 960 // cell)).astype(np.uint8)
    probability = np.asarray(cv2.resize(noise, (960, 960), interpolation=cv2.INTER_NEAREST), np.uint8)
    start = time.thread_time()
    found(probability, thresh=0.5, box_thresh=0)
    assert time.thread_time() - start < 0.5
