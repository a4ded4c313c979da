"""Long lines: cuts them into parts that the recognition network can read, and joins the readings of the parts.

Neighbouring parts overlap, so that one of them has the whole text at a cut, with some more text before and after it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from transformer.algorithms.ctc import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8

    F64 = NDArray[np.float64]

#: A line this many times longer than high is cut.
LONG = 60.0
#: Cuts are at most PART apart, and at least half of it except before the end of the line. Neighbouring parts both have OVERLAP
#: on each side of their cut [heights of the line].
PART, OVERLAP = 28.0, 1.0
#: A column of pixels is blank if its contrast is less than this part of the contrast of columns with ink.
BLANK = 0.25
#: Equal characters of two parts at most this far apart are one character of the line [heights of the line].
NEAR = 0.4


def contrast(strip: U8) -> NDArray[np.int16]:
    """The contrast of each column of `strip` U8 [h,w,3]: its largest value minus its smallest, INT16 [w].

    The upper and lower edges don't count, because neighbouring lines and frames may touch them.
    """
    edge = strip.shape[0] // 8
    inner = strip[edge : strip.shape[0] - edge]
    spread: NDArray[np.int16] = (inner.max(axis=0).astype(np.int16) - inner.min(axis=0)).max(axis=1)
    return spread


def parts(columns: NDArray[np.int16], length: float) -> list[tuple[float, float]]:
    """Where the parts of a line begin and end, as fractions of its length.

    `columns` is the `contrast` of the whole line, and `length` its length in heights. A cut is in the middle of the widest gap
    in which the part can end; if there is no gap, the part has its full length.
    """
    blank = columns < BLANK * np.percentile(columns, 95)
    height, end = len(columns) / length, len(columns)
    cuts, start = [0.0], 0.0
    while end - start > PART * height:
        # The part after the last cut must not be too short.
        furthest = min(start + PART * height, end - PART / 4 * height)
        cut = _middle_of_gap(blank, round(start + PART / 2 * height), round(furthest))
        start = furthest if cut is None else cut
        cuts.append(start)
    cuts.append(end)
    reach = OVERLAP * height
    return [(max(first - reach, 0) / end, min(after + reach, end) / end) for first, after in itertools.pairwise(cuts)]


def joined(readings: Sequence[Reading], parts: F64, length: float) -> Reading:
    """Joins the readings of a line's parts, which are at `parts` F64 [K,2] (fractions of the line, `length` heights long)."""
    places = [
        begin + (reading.kept + 0.5) / reading.steps * (end - begin)
        for reading, (begin, end) in zip(readings, parts.tolist(), strict=True)
    ]
    firsts, lasts = [0], []
    for index in range(len(readings) - 1):
        cut = (parts[index + 1, 0] + parts[index, 1]) / 2
        last, first = _seam(readings[index], places[index], readings[index + 1], places[index + 1], cut, NEAR / length)
        lasts.append(last)
        firsts.append(first)
    lasts.append(len(readings[-1].characters))
    kept = [slice(first, max(first, last)) for first, last in zip(firsts, lasts, strict=True)]
    characters = [each for reading, part in zip(readings, kept, strict=True) for each in reading.characters[part]]
    sure = np.concatenate([reading.probabilities[part] for reading, part in zip(readings, kept, strict=True)])
    place = np.concatenate([each[part] for each, part in zip(places, kept, strict=True)])
    steps = max(reading.steps / (end - begin) for reading, (begin, end) in zip(readings, parts.tolist(), strict=True))
    confidence = float(sure.mean()) if len(sure) else 0.0
    return Reading("".join(characters), confidence, tuple(characters), place * steps - 0.5, sure, steps)


def _middle_of_gap(blank: NDArray[np.bool_], first: int, after: int) -> float | None:
    """The middle of the longest stretch of blank columns from `first` to before `after`; of equal ones, the last."""
    padded = np.concatenate(([False], blank[first:after], [False])).astype(np.int8)
    changes = np.diff(padded)
    begins, ends = np.flatnonzero(changes == 1), np.flatnonzero(changes == -1)
    if not len(begins):
        return None
    widest = len(begins) - 1 - int(np.argmax((ends - begins)[::-1]))
    return float(first + (begins[widest] + ends[widest]) / 2)


def _seam(one: Reading, at: F64, other: Reading, other_at: F64, cut: float, near: float) -> tuple[int, int]:
    """Where `one` ends and where `other` continues, as indices of their characters.

    `at` and `other_at` are the places of the characters in the line. The reading changes over at the character nearest to
    `cut` that both have; if there is none, at the cut.
    """
    best: tuple[float, int, int] | None = None
    for i in range(len(at)):
        for j in np.flatnonzero(np.abs(other_at - at[i]) <= near).tolist():
            if one.characters[i] == other.characters[j]:
                # Of two equal neighbours, as in "ll", each is paired with itself.
                apart = 2 * abs(at[i] - other_at[j])
                found = (abs(at[i] - cut) + abs(other_at[j] - cut) + apart, i + 1, j + 1)
                best = found if best is None else min(best, found)
    if best is not None:
        return best[1:]
    return int(np.searchsorted(at, cut)), int(np.searchsorted(other_at, cut))
