"""Long lines: where they are cut into parts that the recognition network can read, and one reading from those of the parts.

Neighbouring parts overlap, so that what stands at a cut is seen whole by one of them, with something before and behind it.
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
#: Parts are at most so long, and at least half of it [heights of the line]; and neighbours share so much on each side of a cut.
PART, OVERLAP = 28.0, 1.0
#: A column of pixels is blank where its values differ by less than this part of what those of columns with ink do.
BLANK = 0.25
#: Two parts that read the same character no further apart than this have read the same one [heights of the line].
NEAR = 0.4


def contrast(strip: U8) -> NDArray[np.int16]:
    """How far the values of each column of `strip` U8 [h,w,3] are apart, INT16 [w].

    The upper and lower edges, which neighbouring lines and frames may touch, don't count.
    """
    edge = strip.shape[0] // 8
    inner = strip[edge : strip.shape[0] - edge]
    spread: NDArray[np.int16] = (inner.max(axis=0).astype(np.int16) - inner.min(axis=0)).max(axis=1)
    return spread


def parts(columns: NDArray[np.int16], length: float) -> list[tuple[float, float]]:
    """Where the parts of a line begin and end, in lengths of the line.

    `columns` is the `contrast` of the whole line, and `length` its length in heights. Cuts are in the middle of the widest gap
    that a part can end in; if there is none, at the part's full length.
    """
    blank = columns < BLANK * np.percentile(columns, 95)
    height, end = len(columns) / length, len(columns)
    cuts, start = [0.0], 0.0
    while end - start > PART * height:
        # What is left after the last cut is no stump.
        furthest = min(start + PART * height, end - PART / 4 * height)
        cut = _middle_of_gap(blank, round(start + PART / 2 * height), round(furthest))
        start = furthest if cut is None else cut
        cuts.append(start)
    cuts.append(end)
    reach = OVERLAP * height
    return [(max(first - reach, 0) / end, min(after + reach, end) / end) for first, after in itertools.pairwise(cuts)]


def joined(readings: Sequence[Reading], parts: F64, length: float) -> Reading:
    """One reading of a line from those of its parts, which are at `parts` F64 [K,2] of its `length` heights."""
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
    """Where `one` ends and where `other` continues, as indices of their characters; `at` are their places in the line.

    They change over at the character nearest to `cut` that both read; if there is none, at the cut.
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
