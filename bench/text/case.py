"""What a case is: an image, and the text that is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from bench.text import score

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
    them, and `report` what it was reported as, where it was.
    """

    name: str
    draw: Callable[[Random, int], list[Case]]
    bar: float
    measure: Measure = score.error_rate
    unit: str = "CER"
    report: str = ""

    def cases(self, seed: int, count: int) -> list[Case]:
        """`count` cases of `seed`."""
        return self.draw(Random(f"{self.name} {seed}"), count)

    def error(self, case: Case, lines: Sequence[str]) -> float:
        """How wrong `lines` are, which were read in the case's image."""
        return self.measure(case.expected, lines)
