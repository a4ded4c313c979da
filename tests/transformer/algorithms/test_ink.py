from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from transformer.algorithms.ink import SAMPLES, ink_heights


def printed(height: int, angle: float, box: float) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A line of bars `height` pixels high, with noise, and a box `box` pixels high round it."""
    image = np.full((400, 600, 3), 230, np.uint8)
    for x in range(100, 500, 9):
        cv2.rectangle(image, (x, 200 - height // 2), (x + 3, 200 - height // 2 + height - 1), (20, 20, 20), cv2.FILLED)
    turn = cv2.getRotationMatrix2D((300, 200), -angle, 1)
    image = np.asarray(cv2.warpAffine(image, turn, (600, 400), borderValue=(230, 230, 230)), np.uint8)
    noise = np.random.default_rng(0).normal(0, 8, image.shape)
    corners = np.array(((95, 200 - box / 2), (505, 200 - box / 2), (505, 200 + box / 2), (95, 200 + box / 2)))
    corners = np.concatenate((corners, np.ones((4, 1))), axis=1) @ turn.T
    return np.clip(image + noise, 0, 255).astype(np.uint8), corners[None].astype(np.float32)


@pytest.mark.parametrize("angle", [0, 5, 90, 140])
@pytest.mark.parametrize(("height", "box"), [(10, 40), (20, 40), (32, 40), (20, 24)])
def test_the_print_is_measured_and_not_the_box(height: int, box: float, angle: float) -> None:
    image, boxes = printed(height, angle, box)
    assert ink_heights(image, boxes)[0] == pytest.approx(height, abs=0.08 * box)


def test_a_sample_of_many_lines_is_enough() -> None:
    image, boxes = printed(20, 0, 40)
    assert len(ink_heights(image, np.repeat(boxes, 500, axis=0))) == SAMPLES
    assert len(ink_heights(image, boxes[:0])) == 0
