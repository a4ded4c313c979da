from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ppocr.contract import Answer
from transformer.algorithms.ctc import decode

CHARACTERS = ("", "a", "b", "c", "中", " ")


def of(ids: NDArray[np.int32], probabilities: NDArray[np.float32], steps: NDArray[np.int32]) -> Answer:
    return Answer({"ids": ids, "probabilities": probabilities}, steps, "1")


def answer(*lines: list[int], probability: float = 0.5) -> Answer:
    ids = np.array([i for line in lines for i in line], np.int32)
    steps = np.array([len(line) for line in lines], np.int32)
    return of(ids, np.full(len(ids), probability, np.float32), steps)


def naive(ids: list[int], probabilities: list[float]) -> tuple[str, float, list[int]]:
    """Greedy CTC, one step at a time."""
    text, total, kept, previous = "", 0.0, [], 0
    for step, (i, probability) in enumerate(zip(ids, probabilities, strict=True)):
        if i not in (0, previous):
            text, total = text + CHARACTERS[i], total + probability
            kept.append(step)
        previous = i
    return text, total / len(kept) if kept else 0.0, kept


def test_repeats_merge_and_blanks_part_them() -> None:
    [reading] = decode(answer([1, 1, 0, 1, 2, 2, 0, 0, 5, 4]), CHARACTERS)
    assert reading.text == "aab 中"
    assert reading.characters == ("a", "a", "b", " ", "中")
    assert reading.kept.tolist() == [0, 3, 4, 8, 9]
    assert reading.steps == 10


def test_a_line_does_not_continue_the_one_before() -> None:
    assert [r.text for r in decode(answer([0, 1], [1, 0], [1]), CHARACTERS)] == ["a", "a", "a"]


def test_confidence_is_the_mean_of_the_kept_steps() -> None:
    probabilities = np.array([0.9, 0.1, 1.0, 0.5], np.float32)
    [reading] = decode(of(np.array([1, 1, 0, 2], np.int32), probabilities, np.array([4], np.int32)), CHARACTERS)
    assert reading.confidence == pytest.approx(0.7)
    assert reading.probabilities.tolist() == pytest.approx([0.9, 0.5])


def test_an_empty_text_has_confidence_0() -> None:
    first, second, third = decode(answer([0, 0], [], [1]), CHARACTERS)
    assert (first.text, first.confidence, first.kept.tolist()) == ("", 0.0, [])
    assert (second.text, second.confidence, second.steps) == ("", 0.0, 0)
    assert third.text == "a"


def test_no_lines() -> None:
    assert decode(answer(), CHARACTERS) == []
    assert [r.text for r in decode(answer([], []), CHARACTERS)] == ["", ""]


@pytest.mark.parametrize("seed", range(10))
def test_as_a_naive_decoder_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps: NDArray[np.int32] = rng.integers(0, 40, 60).astype(np.int32)
    ids = rng.integers(0, len(CHARACTERS), steps.sum()).astype(np.int32)
    probabilities = rng.random(len(ids), np.float32)
    readings = decode(of(ids, probabilities, steps), CHARACTERS)
    start = 0
    for reading, count in zip(readings, steps.tolist(), strict=True):
        line = slice(start, start + count)
        text, confidence, kept = naive(ids[line].tolist(), probabilities[line].tolist())
        assert (reading.text, reading.kept.tolist()) == (text, kept)
        assert reading.confidence == pytest.approx(confidence, abs=1e-6)
        start += count
