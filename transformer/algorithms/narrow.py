"""Narrow type: finds lines with too few time steps per character, which are read again at a larger width.

If two characters share a time step, one of them is lost. Two equal characters also need a time step between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from transformer.algorithms.ctc import Reading
from transformer.algorithms.widths import SQUEEZE

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A line with fewer time steps per character is read again, WIDER times as wide, which is 1.2 times its natural width.
MIN_STEPS_PER_CHARACTER = 1.7
WIDER = 1.2 / SQUEEZE
#: A line with fewer characters isn't read again: it has hardly any neighbours that could merge.
MIN_CHARACTERS = 3
#: If a character is lost, the network is unsure of those next to it. A line whose characters all have at least the probability
#: SURE has lost none, unless it has fewer than MERGED time steps per character: then equal neighbours may have become one.
SURE = 0.85
MERGED = 1.5


def crowded(readings: Sequence[Reading]) -> NDArray[np.bool_]:
    """The lines to read again (bool [N])."""
    return np.array([_is_crowded(reading) for reading in readings], np.bool_)


def _is_crowded(reading: Reading) -> bool:
    """Whether the line has so few time steps per character that some characters may be lost."""
    count = len(reading.characters)
    if count < MIN_CHARACTERS or reading.steps >= MIN_STEPS_PER_CHARACTER * count:
        return False
    return reading.steps < MERGED * count or float(reading.probabilities.min()) < SURE
