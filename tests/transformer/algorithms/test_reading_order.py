from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from transformer.algorithms.reading_order import reading_order


def at(*corners: tuple[float, float]) -> NDArray[np.float32]:
    """Boxes of 5 by 5 pixels at these top-left corners."""
    square = np.array(((0, 0), (5, 0), (5, 5), (0, 5)), np.float32)
    return np.array(corners, np.float32).reshape(-1, 1, 2) + square


def sorted_boxes(boxes: NDArray[np.float32]) -> list[list[list[float]]]:
    """PaddleOCR's order, since 2.6: each box bubbles up while the one before is in its row and to its right."""
    result = sorted(boxes.tolist(), key=lambda box: (box[0][1], box[0][0]))
    for i in range(len(result) - 1):
        for j in range(i, -1, -1):
            if abs(result[j + 1][0][1] - result[j][0][1]) < 10 and result[j + 1][0][0] < result[j][0][0]:
                result[j], result[j + 1] = result[j + 1], result[j]
            else:
                break
    return result


def test_rows_from_the_top_and_each_from_the_left() -> None:
    assert reading_order(at((100, 52), (10, 57), (10, 10), (100, 3))).tolist() == [2, 3, 1, 0]


def test_ten_pixels_make_a_new_row() -> None:
    assert reading_order(at((100, 0), (10, 9))).tolist() == [1, 0]
    assert reading_order(at((100, 0), (10, 10))).tolist() == [0, 1]


def test_no_box_and_one_box() -> None:
    assert reading_order(at()).tolist() == []
    assert reading_order(at((3, 4))).tolist() == [0]


@pytest.mark.parametrize("seed", range(20))
def test_as_paddleocr_sorts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = at(*rng.integers(0, (400, 120), (60, 2)).tolist())
    assert boxes[reading_order(boxes)].tolist() == sorted_boxes(boxes)
