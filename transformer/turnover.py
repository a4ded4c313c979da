"""Measures how fast images pass through a gate, to tell whether a waiting one can still be finished in time."""

from __future__ import annotations

from collections import deque

#: Number of last images that the rate is measured over.
_WINDOW = 8


class Turnover:
    """Bytes per second through a gate while it is in use. All times are of `time.monotonic()`.

    The rate is an upper limit, because images inside the gate count as finished. So a single slow image lowers the rate
    before it is finished, and images that wait behind it learn early that they would be late.
    """

    def __init__(self) -> None:
        self._inside = 0
        self._done = 0
        self._ends: deque[tuple[float, int]] = deque(maxlen=_WINDOW)  # times, and the bytes finished by then

    def begins(self, size: int, now: float) -> None:
        if not self._inside:
            self._ends.clear()
            self._ends.append((now, self._done))
        self._inside += size

    def ends(self, size: int, now: float) -> None:
        self._inside -= size
        self._done += size
        self._ends.append((now, self._done))

    def seconds(self, size: int, now: float) -> float:
        """The least time for `size` bytes, at the current rate; 0 if the gate is empty."""
        if not self._inside:
            return 0.0
        since, done = self._ends[0]
        return size * (now - since) / (self._done - done + self._inside)
