"""Which lines are read the other way round as well."""

from __future__ import annotations

import numpy as np
import pytest

from transformer.algorithms.ctc import Reading
from transformer.pipeline.read_both_ways import CLEAR, CONFIDENT, settled


def reading(confidence: float, characters: int = 20) -> Reading:
    return Reading("x" * characters, confidence, ("x",) * characters, np.zeros(0), np.zeros(0, np.float32), 0.0)


def flags(*values: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.array(values, np.bool_)


def test_a_line_that_was_read_with_confidence_is_not_read_again() -> None:
    read = [reading(CONFIDENT), reading(CONFIDENT - 0.01)]
    assert settled(read, flags(0, 0)).tolist() == [True, False]


@pytest.mark.parametrize("way", [0, 1])
def test_nor_is_one_that_nothing_could_beat_on_a_page_whose_direction_is_known(way: int) -> None:
    read = [*[reading(0.99)] * 9, reading(1 - CLEAR), reading(1 - CLEAR - 0.01)]
    assert settled(read, flags(*[way] * 11)).tolist() == [True] * 10 + [False]


def test_a_line_that_stands_against_the_page_is_read_again() -> None:
    read = [*[reading(0.99)] * 9, reading(0.82)]
    assert settled(read, flags(*[0] * 9, 1)).tolist() == [True] * 9 + [False]


def test_a_page_of_two_directions_settles_nothing() -> None:
    read = [*[reading(0.99)] * 6, *[reading(0.3)] * 3, reading(0.82)]
    assert settled(read, flags(*[0] * 10)).tolist() == [True] * 6 + [False] * 4


def test_nor_does_a_page_without_text() -> None:
    assert settled([reading(0.0, 0)], flags(0)).tolist() == [False]
    assert settled([], flags()).tolist() == []
