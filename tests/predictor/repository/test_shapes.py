"""Which sizes a new version is warmed up on."""

from __future__ import annotations

import time

import numpy as np

from predictor.repository.shapes import MAX_SIZES, ShapesInUse
from tests.predictor.batching.stand_ins import Checksums


def test_the_most_frequent_of_each_network_come_first_and_in_turn() -> None:
    shapes = ShapesInUse()
    for width, times in ((64, 1), (96, 3), (128, 2)):
        for _ in range(times):
            shapes.add("rec", (1, 48, width, 3))
    shapes.add("det", (1, 960, 736, 3))
    parts_and_widths = [(part, shape[2]) for part, shape in shapes.usual()]
    assert set(parts_and_widths[:2]) == {("det", 736), ("rec", 96)}
    assert parts_and_widths[2:] == [("rec", 128), ("rec", 64)]


def test_it_stays_small_and_keeps_what_is_frequent() -> None:
    shapes = ShapesInUse()
    for number in range(5 * MAX_SIZES):
        shapes.add("rec", (1, 48, 32 * (number + 10), 3))
        shapes.add("rec", (2, 48, 64, 3))
    usual = shapes.usual()
    assert len(usual) <= MAX_SIZES
    assert usual[0] == ("rec", (2, 48, 64, 3))


def test_a_watched_network_answers_as_it_does_alone() -> None:
    network, shapes = Checksums(), ShapesInUse()
    pixels = np.zeros((2, 48, 64, 3), np.uint8)
    got = shapes.watched("rec", network).infer(pixels)
    assert np.array_equal(got[0], network.infer(pixels)[0])
    assert shapes.usual() == [("rec", (2, 48, 64, 3))]


def test_a_long_forward_is_not_quiet() -> None:
    shapes = ShapesInUse()
    assert shapes.quiet() > 3600  # nothing has run yet

    class Long(Checksums):
        def infer(self, pixels: np.ndarray) -> tuple[np.ndarray, ...]:
            time.sleep(0.05)
            assert shapes.quiet() == 0.0
            return super().infer(pixels)

    shapes.watched("det", Long()).infer(np.zeros((1, 64, 64, 3), np.uint8))
    time.sleep(0.02)
    assert 0.01 < shapes.quiet() < 10
