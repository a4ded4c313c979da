from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from transformer.algorithms.directions import begun_at, directed, dominant, sides, wrapped

F32 = NDArray[np.float32]


def box(length: float, height: float, angle: float, centre: tuple[float, float] = (0, 0), first: int = 0) -> F32:
    """A box whose first side runs at `angle`, begun at corner number `first`."""
    corners = np.array(((-1, -1), (1, -1), (1, 1), (-1, 1))) * (length / 2, height / 2)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.roll(corners @ np.array(((cos, sin), (-sin, cos))) + centre, -first, axis=0).astype(np.float32)


def angles(boxes: F32) -> list[float]:
    along, _ = sides(boxes)
    found: list[float] = np.degrees(np.arctan2(along[:, 1], along[:, 0])).round(3).tolist()
    return found


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("angle", [-75, -60, -45, -30, 0, 15, 44, 45, 46, 60, 75, 90])
def test_a_line_is_read_from_its_left_end_whatever_its_angle(angle: float, first: int) -> None:
    turned, either = directed(box(300, 30, angle, first=first)[None])
    assert angles(turned) == pytest.approx([angle], abs=0.01)
    assert not either.any()


@pytest.mark.parametrize("angle", [-90, -85, -81, 82, 89, 95])
def test_a_line_that_is_nearly_vertical_is_read_downwards(angle: float) -> None:
    turned, _ = directed(box(300, 30, angle)[None])
    assert 80 < angles(turned)[0] < 100


def test_short_boxes_run_as_the_page_does() -> None:
    page = np.stack([box(400, 30, 40), box(300, 30, 41), box(20, 30, 40, first=3), box(33, 30, 40, first=1)])
    turned, either = directed(page)
    assert angles(turned) == pytest.approx([40, 41, 40, 40], abs=1.5)
    assert not either.any()


def test_a_small_tall_box_may_hold_a_letter_or_a_turned_word() -> None:
    page = np.stack([box(400, 30, 0), box(15, 30, 0), box(90, 30, 90, first=2), box(28, 30, 0)])
    turned, either = directed(page)
    assert angles(turned) == pytest.approx([0, 0, 90, 0], abs=0.01)
    assert either.tolist() == [False, True, False, False]


def test_tall_letters_alone_do_not_turn_the_page() -> None:
    turned, either = directed(np.stack([box(14, 30, 0, (50 * i, 0)) for i in range(5)]))
    assert angles(turned) == [0] * 5
    assert either.all()


def test_no_boxes() -> None:
    turned, either = directed(np.zeros((0, 4, 2), np.float32))
    assert turned.shape == (0, 4, 2) and either.shape == (0,)


def test_begun_elsewhere() -> None:
    one = box(10, 5, 0)
    assert begun_at(np.stack((one, one)), np.array((0, 2))).tolist() == [
        one.tolist(),
        np.roll(one, -2, axis=0).tolist(),
    ]


def test_the_dominant_angle_is_a_median_where_most_weight_is() -> None:
    many = np.array((88.0, 89.0, -90.0, -88.0, 10.0, 12.0))
    assert dominant(many, np.array((1.0, 1, 1, 1, 1, 1)), 180) == pytest.approx(89)
    assert dominant(many, np.array((1.0, 1, 1, 1, 9, 9)), 180) == pytest.approx(10)
    assert dominant(np.zeros(3), np.zeros(3), 180) == 0


def test_wrapped() -> None:
    assert wrapped(np.array((-90.0, 90, 91, 270, 360)), 180).tolist() == [90, 90, -89, 90, 0]
