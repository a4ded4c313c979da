"""The estimate is never below what the lines come to."""

from __future__ import annotations

import numpy as np

from tests.networks import rec
from transformer.algorithms.crops import crops
from transformer.algorithms.line_memory import PER_PIXEL, line_memory

GRID = rec("", "a").grid


def test_lines_take_no_more_than_was_said() -> None:
    rng = np.random.default_rng(0)
    image = np.zeros((1500, 1500, 3), np.uint8)
    for _ in range(100):
        x, y = rng.uniform(0, 700, (2, 20))
        width, height = np.exp(rng.uniform(np.log(4), np.log(700), (2, 20)))
        tilt = rng.uniform(-5, 5, 20)
        boxes = np.stack(
            (
                np.stack((x, y), 1),
                np.stack((x + width, y + tilt), 1),
                np.stack((x + width, y + height + tilt), 1),
                np.stack((x, y + height), 1),
            ),
            axis=1,
        ).astype(np.float32)
        stretch = rng.choice((1.0, 1.4), len(boxes))
        lines = crops(image, boxes, GRID, stretch=stretch).items
        said = line_memory(boxes, GRID, 10**9, stretch) / PER_PIXEL
        assert lines.pixels.size // 3 <= said <= 3 * lines.pixels.size // 3 + 20 * 48 * 64


def test_no_lines_take_nothing() -> None:
    assert line_memory(np.zeros((0, 4, 2), np.float32), GRID, 10**9) == 0


def test_the_limit_of_all_lines_holds() -> None:
    boxes = np.array([[(0, 0), (1000, 0), (1000, 10), (0, 10)]] * 100, np.float32)
    assert line_memory(boxes, GRID, 1_000_000) == PER_PIXEL * 1_000_000
