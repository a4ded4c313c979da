"""Narrow type: which lines are read again, and what the network is given then."""

from __future__ import annotations

import numpy as np
import pytest

from tests.networks import rec
from transformer.algorithms import narrow
from transformer.algorithms.crops import crops
from transformer.algorithms.ctc import Reading

GRID = rec("", "a").grid


def reading(characters: int, steps: float, least: float = 0.8) -> Reading:
    """One of `characters`, the first of which was read with the probability `least`, the others with 1."""
    probabilities = np.array([least, *[1.0] * (characters - 1)][:characters], np.float32)
    return Reading("i" * characters, 1.0, ("i",) * characters, np.zeros(characters), probabilities, steps)


def test_lines_of_few_steps_a_character_are_read_again() -> None:
    read = [reading(4, 10), reading(25, 32), reading(40, 80)]
    assert narrow.crowded(read).tolist() == [False, True, False]


def test_a_line_that_lost_nothing_is_not_read_again() -> None:
    sure, steps = narrow.SURE, 20 * (narrow.MIN_STEPS_PER_CHARACTER - 0.01)
    read = [
        reading(20, steps, sure + 0.01),
        reading(20, steps, sure - 0.01),
        reading(20, 20 * (narrow.MERGED - 0.01), 1.0),
    ]
    assert narrow.crowded(read).tolist() == [False, True, True]


def test_a_character_or_two_have_nothing_to_lose() -> None:
    assert narrow.crowded([reading(0, 0), reading(1, 1), reading(2, 2)]).tolist() == [False, False, False]


def test_they_are_stretched_and_short_ones_stay_short() -> None:
    image = np.tile(np.linspace(0, 255, 800).astype(np.uint8)[None, :, None], (60, 1, 3))
    corners = [[(0, 5), (width, 5), (width, 53), (0, 53)] for width in (40, 300, 700)]
    lines = crops(image, np.array(corners, np.float32), GRID, stretch=np.array([narrow.WIDER, 1.0, narrow.WIDER]))
    assert lines.line.tolist() == [0, 1, 2]
    assert lines.filled[0] == round(1.2 * 40) and lines.items.sizes[0].tolist() == [48, 64]
    assert lines.items.sizes[1, 1] == 256
    assert lines.items.sizes[2, 1] == lines.filled[2] == 864  # 1.2 * 700 and a little more
    last = lines.items.pixels[-48 * 864 * 3 :].reshape(48, -1, 3)
    assert last[:, 0].mean() < 5 and last[:, -1].mean() == pytest.approx(255 * 700 / 800, abs=5)
