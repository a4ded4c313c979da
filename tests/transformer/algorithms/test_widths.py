from __future__ import annotations

import dataclasses

import numpy as np

from ppocr.contract import Axis
from tests.networks import rec
from transformer.algorithms.widths import line_widths

GRID = rec("", "a").grid


def widths(*lengths: float, grid: object = GRID) -> list[tuple[int, int]]:
    """(width, filled) of lines 48 pixels high."""
    wide, filled = line_widths(np.array(lengths), np.full(len(lengths), 48.0), grid)  # type: ignore[arg-type]
    return list(zip(wide.tolist(), filled.tolist(), strict=True))


def test_a_short_line_keeps_its_proportions_and_the_rest_is_padding() -> None:
    assert widths(20, 60, 74) == [(64, 17), (64, 51), (64, 63)]


def test_a_longer_line_fills_the_next_width_of_the_grid() -> None:
    assert widths(188, 189, 1000) == [(160, 160), (192, 192), (864, 864)]


def test_a_network_of_one_width_gets_lines_padded_to_it() -> None:
    one = dataclasses.replace(GRID, width=Axis(320, 320, 1, 320))
    assert widths(100, 376, 1000, grid=one) == [(320, 85), (320, 320), (320, 320)]


def test_a_grid_that_has_no_64_takes_the_next_width() -> None:
    coarse = dataclasses.replace(GRID, width=Axis(50, 900, 50, 300))
    assert widths(60, 235, grid=coarse) == [(100, 51), (200, 200)]


def test_a_line_of_no_length_is_a_pixel_wide() -> None:
    assert widths(0) == [(64, 1)]
