"""What a case is: an image, and the text that is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.text import score

#: A line as V1 answers it: its text, and words where they were asked for.
Line = Mapping[str, Any]
#: From the lines that were expected and those that were read, in order, to an error from 0 (right) up.
Measure = Callable[[Sequence[str], Sequence[str]], float]


@dataclass(frozen=True)
class Case:
    """One image.

    `image` is the file (PNG where nothing else is the point), `expected` its lines in reading order, `parameters` those of the
    request. `boxes` are the words' rectangles (x0, y0, x1, y1) where the kind is about them.
    """

    name: str
    image: bytes
    expected: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    boxes: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of image that is easily read wrongly.

    `draw(random, count)` makes `count` cases, the same ones for the same seed. `bar` is the highest mean error over many of
    them, and `report` what it was reported as, where it was. `of_words` takes the place of `measure` where the kind is about the
    places of words.
    """

    name: str
    draw: Callable[[Random, int], list[Case]]
    bar: float
    measure: Measure = score.error_rate
    unit: str = "CER"
    report: str = ""
    of_words: Callable[[Case, Sequence[Line]], float] | None = None

    def cases(self, seed: int, count: int) -> list[Case]:
        """`count` cases of `seed`."""
        return self.draw(Random(f"{self.name} {seed}"), count)

    def error(self, case: Case, lines: Sequence[Line]) -> float:
        """How wrong `lines` are, which were read in the case's image."""
        if self.of_words is not None:
            return self.of_words(case, lines)
        return self.measure(case.expected, [line["text"] for line in lines])
