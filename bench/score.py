"""How well texts match labels: F1 over bags of tokens and of characters, summed over all images.

A token is a run of letters and digits, upper-cased; a character is anything but white space, upper-cased. Order doesn't
count. A label file has one line a text line: eight corner coordinates, then the text, which may hold commas.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

Bag = Callable[[Iterable[str]], "Counter[str]"]
COORDINATES = 8


@dataclass(frozen=True)
class Score:
    """Both F1 in 0..1."""

    tokens: float
    characters: float


def score(texts: Mapping[str, Iterable[str]], labels: Path) -> Score:
    """Scores `texts` (image name without suffix → its lines) against `labels`/NAME.csv."""
    truth = {name: expected(labels / f"{name}.csv") for name in texts}
    read = {name: list(lines) for name, lines in texts.items()}
    return Score(tokens=_f1(read, truth, tokens), characters=_f1(read, truth, characters))


def expected(path: Path) -> list[str]:
    """The texts of a label file, in its order."""
    return [row[COORDINATES] for row in _rows(path)]


def corners(path: Path) -> list[list[float]]:
    """The eight corner coordinates of each text: x and y of the top left, top right, bottom right, bottom left."""
    return [[float(number) for number in row[:COORDINATES]] for row in _rows(path)]


def _rows(path: Path) -> list[list[str]]:
    rows = (line.split(",", COORDINATES) for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return [row for row in rows if len(row) > COORDINATES]


def tokens(texts: Iterable[str]) -> Counter[str]:
    return Counter(token for text in texts for token in re.findall(r"[A-Z0-9]+", text.upper()))


def characters(texts: Iterable[str]) -> Counter[str]:
    return Counter("".join("".join(text.upper().split()) for text in texts))


def _f1(read: Mapping[str, list[str]], truth: Mapping[str, list[str]], bag: Bag) -> float:
    matched = total = 0
    for name, lines in read.items():
        got, wanted = bag(lines), bag(truth[name])
        matched += (got & wanted).total()
        total += got.total() + wanted.total()
    return 2 * matched / total if total else 0.0
