from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from transformer.algorithms.ctc import Reading
from transformer.algorithms.words import Word, words


def reading(text: str, kept: list[int], steps: int, probabilities: list[float] | None = None) -> Reading:
    sure = np.array(probabilities or [1.0] * len(text), np.float32)
    return Reading(text, float(sure.mean()) if text else 0.0, tuple(text), np.array(kept, np.float64), sure, steps)


def level(x0: float, y0: float, x1: float, y1: float) -> NDArray[np.float32]:
    return np.array((((x0, y0), (x1, y0), (x1, y1), (x0, y1)),), np.float32)


def texts(line: list[Word]) -> list[str]:
    return [word.text for word in line]


def spans(line: list[Word]) -> list[tuple[float, float]]:
    return [(round(float(word.points[0, 0]), 2), round(float(word.points[1, 0]), 2)) for word in line]


def test_latin_runs_are_words() -> None:
    [line] = words([reading("ab RM1.5", [2, 4, 6, 10, 12, 14, 16, 18], 20)], level(100, 50, 300, 90))
    assert texts(line) == ["ab", "RM1.5"]
    # 20 steps over 200 pixels; characters are 2 steps apart, so each is 20 pixels wide: from (step + 0.1) * 10 - 10 for the first
    # of a word to (step + 0.3) * 10 + 10 for the last.
    assert spans(line) == [(111, 153), (191, 293)]
    np.testing.assert_allclose(line[0].points, [[111, 50], [153, 50], [153, 90], [111, 90]], atol=1e-3)


def test_cjk_characters_stand_alone_and_latin_between_them_does_not() -> None:
    [line] = words([reading("中文ab12、日", [1, 4, 7, 8, 9, 10, 12, 15], 17)], level(0, 0, 170, 40))
    assert texts(line) == ["中", "文", "ab12", "、", "日"]


@pytest.mark.parametrize("character", ["漢", "ひ", "カ", "ー", "。", "！", "㐀", "𠀀"])
def test_scripts_written_without_spaces(character: str) -> None:
    [line] = words([reading("a" + character + "b", [1, 2, 3], 5)], level(0, 0, 50, 10))
    assert texts(line) == ["a", character, "b"]


def test_accents_and_korean_are_words() -> None:
    [line] = words([reading("naïve 한국", [1, 2, 3, 4, 5, 6, 7, 8], 10)], level(0, 0, 50, 10))
    assert texts(line) == ["naïve", "한국"]


def test_a_wide_gap_parts_words() -> None:
    [line] = words([reading("abcd", [1, 3, 9, 11], 12)], level(0, 0, 120, 10))
    assert texts(line) == ["ab", "cd"]


def test_confidence_is_the_mean_of_the_words_characters() -> None:
    [line] = words([reading("ab c", [1, 2, 3, 4], 6, [0.8, 0.6, 0.1, 0.4])], level(0, 0, 60, 10))
    assert [word.confidence for word in line] == pytest.approx([0.7, 0.4])


def test_neighbours_that_overlap_meet_half_way_and_words_end_inside_the_line() -> None:
    [line] = words([reading("中中", [0, 4], 5)], level(0, 0, 50, 10))
    assert spans(line) == [(0, 22), (22, 50)]


def test_no_text_has_no_words() -> None:
    nothing = reading("", [], 8)
    assert words([nothing, reading(" ", [3], 8)], np.repeat(level(0, 0, 80, 10), 2, axis=0)) == [[], []]
    assert words([], np.zeros((0, 4, 2), np.float32)) == []


def test_words_of_a_turned_line_lie_along_it() -> None:
    quad = np.array((((100, 0), (200, 100), (170, 130), (70, 30)),), np.float32)
    [line] = words([reading("ab", [2, 7], 10)], quad)
    [word] = line
    # Steps 0 to 10 run from the left edge to the right one, 10 pixels in x and y each, with 5 a character: the word goes from
    # the left edge to step 7 + 0.3 + 2.5.
    expected = quad[0] + np.array(((0, 0), (-2, -2), (-2, -2), (0, 0)))
    np.testing.assert_allclose(word.points, expected, atol=1e-3)


def test_words_of_a_line_that_runs_down_start_where_it_does() -> None:
    [line] = words([reading("a b", [2, 5, 8], 10)], np.roll(level(50, 0, 80, 100), -1, axis=1))
    assert texts(line) == ["a", "b"]
    first, second = (word.points for word in line)
    assert first[:, 0].tolist() == second[:, 0].tolist() == [80, 80, 50, 50]
    assert first[0, 1] == first[3, 1] < first[1, 1] == first[2, 1] <= second[0, 1]
