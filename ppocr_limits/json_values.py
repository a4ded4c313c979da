"""Counts the values of JSON before it is parsed, because three bytes of `{},` become 64 in memory."""

from __future__ import annotations

import numpy as np

_BLOCK = 1 << 18


def most_values(body: bytes | memoryview) -> int:
    """An upper bound, by commas and opening brackets; those in texts count too."""
    text = np.frombuffer(body, np.uint8)
    count = 1
    for start in range(0, len(text), _BLOCK):
        block = text[start : start + _BLOCK]
        opened = block | 0x20 == ord("{")  # "[" is "{" without 0x20
        count += int(np.count_nonzero(block == ord(",")) + np.count_nonzero(opened))
    return count
