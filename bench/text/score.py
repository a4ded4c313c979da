"""How far texts are from what was expected. White space counts once, and order counts where a measure doesn't say otherwise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np


def error_rate(expected: Sequence[str], read: Sequence[str]) -> float:
    """Characters to insert, delete or replace, for each that was expected."""
    wanted = flat(expected)
    return distance(flat(read), wanted) / max(len(wanted), 1)


def not_exact(expected: Sequence[str], read: Sequence[str]) -> float:
    """0 where the text is the very same, else 1."""
    return float(flat(expected) != flat(read))


def missed_words(expected: Sequence[str], read: Sequence[str]) -> float:
    """1 - F1 over bags of words: order doesn't count."""
    wanted, got = Counter(flat(expected).split()), Counter(flat(read).split())
    return 1 - 2 * (wanted & got).total() / max(wanted.total() + got.total(), 1)


def flat(lines: Sequence[str]) -> str:
    """The lines as one text, in which white space counts once."""
    return re.sub(r"\s+", " ", " ".join(lines)).strip()


def distance(a: str, b: str) -> int:
    """Levenshtein's distance, a row at a time."""
    other = np.array([ord(character) for character in b], np.int32)
    columns = np.arange(len(b) + 1)
    row = columns
    for index, character in enumerate(a, 1):
        changed = np.minimum(row[1:] + 1, row[:-1] + (other != ord(character)))
        # An insertion adds 1 to what is on its left: a running minimum once the column's own number is taken off.
        row = np.minimum.accumulate(np.concatenate(([index], changed)) - columns) + columns
    return int(row[-1])
