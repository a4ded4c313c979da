"""Narrow type: finds lines with too few time steps per character, which are read again at a larger width.

Of two characters that share a time step one is lost, and CTC needs a step between two that are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from transformer.algorithms.ctc import Reading
from transformer.algorithms.widths import SQUEEZE

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A line that was read with fewer time steps a character is read again, so many times as wide: 1.2 times its natural width.
MIN_STEPS_PER_CHARACTER = 1.7
WIDER = 1.2 / SQUEEZE
#: A line of fewer characters has no neighbours to lose them to.
MIN_CHARACTERS = 3
#: If a character is lost, the network is unsure of those beside it. A line whose characters are all read with this much
#: confidence has lost none, unless it has fewer steps than MERGED a character: then equal neighbours may have become one.
SURE = 0.85
MERGED = 1.5


def crowded(readings: Sequence[Reading]) -> NDArray[np.bool_]:
    """The lines to read again (bool [N])."""
    return np.array([_is_crowded(reading) for reading in readings], np.bool_)


def _is_crowded(reading: Reading) -> bool:
    """Whether the line has so few time steps a character that some may have got none."""
    count = len(reading.characters)
    if count < MIN_CHARACTERS or reading.steps >= MIN_STEPS_PER_CHARACTER * count:
        return False
    return reading.steps < MERGED * count or float(reading.probabilities.min()) < SURE
