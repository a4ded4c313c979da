"""Long lines: cut where nothing is written, and read as one."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.networks import rec
from transformer.algorithms.crops import crops
from transformer.algorithms.ctc import Reading
from transformer.algorithms.long_lines import LONG, OVERLAP, PART, joined, parts

GRID = rec("", "a").grid


def columns(length: float, gap: int = 0, word: int = 1) -> NDArray[np.int16]:
    """The contrast of a line of words of 48 pixels in height, with blank columns between them."""
    spread = np.full(round(length * 48), 200, np.int16)
    for start in range(word, len(spread), word + gap):
        spread[start : start + gap] = 3
    return spread


@pytest.mark.parametrize("length", [61, 100, 1000])
@pytest.mark.parametrize("gap", [0, 12])
def test_parts_cover_the_line_and_overlap(length: float, gap: int) -> None:
    found = parts(columns(length, gap, word=200), length)
    assert found[0][0] == 0 and found[-1][1] == 1
    for (_, end), (begin, _) in itertools.pairwise(found):
        assert (end - begin) * length == pytest.approx(2 * OVERLAP)
    assert max(end - begin for begin, end in found) * length <= PART + 2 * OVERLAP + 0.1
    assert min(end - begin for begin, end in found) * length >= PART / 4


def test_cuts_are_in_gaps_where_there_are_any() -> None:
    spread = columns(100, gap=12, word=200)
    found = parts(spread, 100)
    for (_, end), (begin, _) in itertools.pairwise(found):
        middle = round((begin + end) / 2 * len(spread))
        assert (spread[middle - 4 : middle + 4] == 3).all()


def test_noise_is_blank_beside_ink() -> None:
    spread = columns(100, gap=12, word=200)
    noisy = np.where(spread < 10, 40, spread).astype(np.int16)
    assert parts(noisy, 100) == parts(spread, 100)


def test_a_line_of_nothing_is_cut_all_the_same() -> None:
    assert len(parts(np.zeros(4800, np.int16), 100)) >= 3


def reading(text: str, begin: float, end: float, length: float) -> Reading:
    """Of the part from `begin` to `end` of a line whose character i is at (i + 0.5) / length; those inside are read."""
    inside = [i for i in range(len(text)) if begin <= (i + 0.5) / length <= end]
    steps = (end - begin) * length
    kept = np.array([(i + 0.5) - begin * length - 0.5 for i in inside])
    characters = tuple(text[i] for i in inside)
    return Reading("".join(characters), 1.0, characters, kept, np.ones(len(kept), np.float32), steps)


@pytest.mark.parametrize(
    "text", ["the quick brown fox jumps over the lazy dog", "aaaaaaaaaaaaaaaaaaaaaaaaaa", "今天天气很好我们去公园"]
)
def test_what_both_parts_read_counts_once(text: str) -> None:
    length = len(text)
    places = np.array(((0, 0.4), (0.3, 0.8), (0.7, 1)))
    read = [reading(text, begin, end, length) for begin, end in places.tolist()]
    whole = joined(read, places, length)
    assert whole.text == text and whole.characters == tuple(text)
    assert whole.kept == pytest.approx(np.arange(length), abs=1e-6)
    assert whole.steps == pytest.approx(length)


def test_what_one_part_saw_cut_off_is_taken_from_the_other() -> None:
    places = np.array(((0, 0.6), (0.4, 1)))
    one, other = reading("abcdefghij", 0, 0.6, 10), reading("abcdefghij", 0.4, 1, 10)
    one = Reading("abcdeE", 1.0, (*"abcde", "E"), one.kept, one.probabilities, one.steps)
    other = Reading("Cfghij", 1.0, ("C", *"fghij"), other.kept, other.probabilities, other.steps)
    assert joined([one, other], places, 10).text == "abcdefghij"


def test_equal_neighbours_at_a_cut_both_count() -> None:
    """Each part reads them a little off its place, towards the other's."""
    places = np.array(((0, 0.6), (0.4, 1)))
    one, other = reading("abcdllghij", 0, 0.6, 10), reading("abcdllghij", 0.4, 1, 10)
    one, other = dataclasses.replace(one, kept=one.kept + 0.1), dataclasses.replace(other, kept=other.kept - 0.1)
    assert joined([one, other], places, 10).text == "abcdllghij"


def test_confidence_is_that_of_the_characters_kept() -> None:
    places = np.array(((0, 0.6), (0.4, 1)))
    one, other = reading("abcdefghij", 0, 0.6, 10), reading("abcdefghij", 0.4, 1, 10)
    half = Reading(one.text, 0.5, one.characters, one.kept, one.probabilities / 2, one.steps)
    sure = joined([half, other], places, 10)
    assert sure.confidence == pytest.approx(sure.probabilities.mean()) and 0.5 < sure.confidence < 1


def test_parts_without_text_join_to_none() -> None:
    empty = Reading("", 0.0, (), np.zeros(0), np.zeros(0, np.float32), 100)
    whole = joined([empty, empty], np.array(((0, 0.6), (0.4, 1))), 80)
    assert (whole.text, whole.confidence) == ("", 0.0)


def test_a_long_line_becomes_several_items_in_the_order_of_widths() -> None:
    image = np.full((60, 6000, 3), 255, np.uint8)
    image[20:40, np.arange(6000) % 40 < 28] = 0
    boxes = np.array([[(0, 10), (5999, 10), (5999, 50), (0, 50)], [(0, 10), (300, 10), (300, 50), (0, 50)]], np.float32)
    lines = crops(image, boxes, GRID)
    assert lines.lengths[0] > LONG and (lines.line == 0).sum() > 2 and (lines.line == 1).sum() == 1
    assert (np.diff(lines.items.sizes[:, 1]) >= 0).all()
    parts_of_line = lines.part[lines.line == 0]
    assert parts_of_line.min() == 0 and parts_of_line.max() == 1
    read = [Reading(str(i), 1.0, (str(i),), np.zeros(1), np.ones(1, np.float32), 10) for i in range(len(lines.line))]
    by_line = lines.by_line(read)
    own = int(np.flatnonzero(lines.line == 1)[0])
    assert len(by_line) == 2 and by_line[1].text == str(own)
    assert len(by_line[0].text) == (lines.line == 0).sum()
