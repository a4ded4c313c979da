from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from transformer.algorithms.reading_order import reading_order

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def level(x: float, y: float, width: float, height: float = 20) -> F64:
    return np.array(((x, y), (x + width, y), (x + width, y + height), (x, y + height)), np.float64)


def table(rows: int = 12, pitch: float = 30) -> F64:
    """Rows of three cells, which do not stand exactly level; in their order."""
    rng = np.random.default_rng(1)
    cells = [level(x, row * pitch + rng.uniform(-3, 3), width) for row in range(rows) for x, width in CELLS]
    return np.stack(cells)


CELLS = ((0, 150), (300, 60), (500, 80))


def turned(boxes: F64, angle: float) -> F64:
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return boxes @ np.array(((cos, sin), (-sin, cos)))


def shuffled(boxes: F64, seed: int = 0, **asked: bool) -> list[int]:
    """The order of shuffled boxes, as their own numbers."""
    mixed = np.random.default_rng(seed).permutation(len(boxes))
    order: list[int] = mixed[reading_order(boxes[mixed].astype(np.float32), **asked)].tolist()
    return order


@pytest.mark.parametrize("scale", [0.3, 1, 10])
@pytest.mark.parametrize("angle", [-7, -3, 0, 2, 5, 30, 90, 135, 180, 270])
def test_rows_at_any_angle_and_scale(angle: float, scale: float) -> None:
    boxes = turned(table() * scale, angle)
    assert shuffled(boxes) == list(range(len(boxes)))


def test_a_row_that_bends_stays_a_row() -> None:
    """Each cell is level with its neighbour, and the last one stands nearly a row lower than the first."""
    boxes = np.stack([level(60 * column, 40 * row + 4 * column, 50) for row in range(5) for column in range(8)])
    assert shuffled(boxes) == list(range(40))


def test_vertical_columns_are_read_from_the_right() -> None:
    columns = [np.roll(level(x, 10, 24, 200 - x / 10), -1, axis=0) for x in (300, 250, 200, 150)]
    assert shuffled(np.stack(columns)) == [0, 1, 2, 3]


def test_lines_of_another_direction_are_read_together() -> None:
    upright = [level(50, y, 500) for y in (50, 90, 130)]
    up_the_side = [np.roll(level(x, 250, 24, 580), 1, axis=0) for x in (60, 100)]
    upside_down = [np.roll(level(300, y, 520), 2, axis=0) for y in (500, 460, 420)]
    assert shuffled(np.stack((*upright, *up_the_side, *upside_down))) == list(range(8))


def test_a_single_letter_of_uncertain_direction_stays_in_its_row() -> None:
    boxes = [level(0, 0, 200), np.roll(level(220, 0, 14), 1, axis=0), level(260, 1, 100), level(0, 30, 200)]
    assert shuffled(np.stack(boxes)) == [0, 1, 2, 3]


def test_no_box_and_one_box() -> None:
    assert reading_order(np.zeros((0, 4, 2), np.float32)).tolist() == []
    assert reading_order(level(3, 4, 20)[None].astype(np.float32)).tolist() == [0]


def prose(columns: int, rows: int, top: float, ragged: int = 0) -> list[F64]:
    rng = np.random.default_rng(2)
    return [
        level(column * 420, top + 30 * row + column * 7, rng.uniform(330, 380))
        for column in range(columns)
        for row in range(rows - (ragged if column == columns - 1 else 0))
    ]


@pytest.mark.parametrize("angle", [-3, 0, 4])
@pytest.mark.parametrize("columns", [2, 3])
def test_columns_below_headings(columns: int, angle: float) -> None:
    page = [
        level(0, 0, 420 * columns - 60, 34),
        *prose(columns, 9, 60),
        level(0, 360, 420 * columns - 100, 34),
        *prose(columns, 12, 420, ragged=4),
    ]
    boxes = turned(np.stack(page), angle)
    assert shuffled(boxes, columns=True) == list(range(len(page)))


def test_columns_whose_lines_are_in_pieces() -> None:
    pieces = [
        part
        for line in prose(2, 10, 0)
        for part in (
            level(line[0, 0], line[0, 1], 160),
            level(line[0, 0] + 168, line[0, 1] + 1, line[1, 0] - line[0, 0] - 168),
        )
    ]
    assert shuffled(np.stack(pieces), columns=True) == list(range(40))


def test_without_the_parameter_rows_are_read() -> None:
    boxes = np.stack([level(column * 420, 30 * row, 360) for row in range(8) for column in range(2)])
    assert shuffled(boxes) == list(range(16))
    assert shuffled(boxes, columns=True) == [*range(0, 16, 2), *range(1, 16, 2)]


def test_a_price_list_stays_rows_with_columns() -> None:
    boxes = table()
    assert shuffled(boxes, columns=True) == list(range(len(boxes)))


@pytest.mark.parametrize("columns", [False, True])
def test_thousands_of_boxes_take_bounded_time(columns: bool) -> None:
    rng = np.random.default_rng(0)
    boxes = np.stack([level(x, y, w) for x, y, w in rng.uniform((0, 0, 5), (3000, 3000, 300), (3000, 3))])
    start = time.thread_time()
    assert sorted(reading_order(boxes.astype(np.float32), columns).tolist()) == list(range(3000))
    assert time.thread_time() - start < 3
