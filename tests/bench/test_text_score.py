from __future__ import annotations

import pytest

from bench.text import score


@pytest.mark.parametrize(
    ("a", "b", "edits"), [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("ab", "ba", 2)]
)
def test_distance(a: str, b: str, edits: int) -> None:
    assert score.distance(a, b) == edits


def test_white_space_counts_once_and_order_counts() -> None:
    assert score.error_rate(["a  b", "c"], ["a", " b c "]) == 0
    assert score.error_rate(["ab", "cd"], ["cd", "ab"]) > 0
    assert score.missed_words(["ab cd"], ["cd ab"]) == 0


def test_words_that_are_missing_or_too_many() -> None:
    assert score.missed_words(["a b c d"], ["a b"]) == pytest.approx(1 - 4 / 6)


def test_exact() -> None:
    assert (score.not_exact(["A"], ["A"]), score.not_exact(["A"], ["a"])) == (0, 1)
