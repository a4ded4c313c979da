"""CTC: from the best class of every time step to the text of a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32, Answer


@dataclass(frozen=True)
class Reading:
    """The text of a line.

    `confidence` is the mean probability of the kept time steps, 0 for an empty text. `characters` are the entries of
    the character set that make up the text; `kept` (F64 [K]) and `probabilities` (F32 [K]) are the time step and the
    probability of each, and `steps` is how many time steps the line had. `kept` and `steps` may be fractions, because a line
    may fill only a part of its item, and a long line is several items.
    """

    text: str
    confidence: float
    characters: tuple[str, ...]
    kept: NDArray[np.float64]
    probabilities: F32
    steps: float


def decode(answer: Answer, characters: Sequence[str], share: NDArray[np.float64] | None = None) -> list[Reading]:
    """One `Reading` per line, in the order of the answer's items. Greedy CTC: repeats merge, then blanks (class 0) vanish.

    `characters[i]` is the text of class i, and must belong to the version that computed the answer. `share` F64 [N] is how
    much of its item each line fills, 1 by default; the line has that share of the item's time steps.
    """
    ids, lengths = answer.outputs["ids"], answer.counts.astype(np.intp)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    keep = ids != 0
    repeated = ids[1:] == ids[:-1]
    # A line doesn't continue the one before it.
    repeated[starts[(starts > 0) & (starts < len(ids))] - 1] = False
    keep[1:] &= ~repeated
    kept = np.flatnonzero(keep)
    # total[i]: the sum of the probabilities of the first i kept steps; float64 keeps the differences exact enough.
    probabilities = answer.outputs["probabilities"][kept]
    total = np.concatenate(([0.0], np.cumsum(probabilities, dtype=np.float64)))
    firsts, lasts = np.searchsorted(kept, starts), np.searchsorted(kept, ends)
    means = (total[lasts] - total[firsts]) / np.maximum(lasts - firsts, 1)
    at, steps = kept.astype(np.float64), lengths if share is None else lengths * share
    texts = [characters[i] for i in ids[kept].tolist()]
    return [
        Reading(
            "".join(line := texts[first:last]),
            mean,
            tuple(line),
            at[first:last] - start,
            probabilities[first:last],
            count,
        )
        for first, last, mean, start, count in zip(
            firsts.tolist(), lasts.tolist(), means.tolist(), starts.tolist(), steps.tolist(), strict=True
        )
    ]
