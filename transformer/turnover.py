"""How fast a gate's images come through: whether one that waits can still be read in its time."""

from __future__ import annotations

from collections import deque

#: Images that are looked back at.
_WINDOW = 8


class Turnover:
    """Bytes a second of what is inside a gate, while something is. All times are of `time.monotonic()`.

    It never says less than it may turn out to be: what is inside counts as done. So one large image that takes long shows it
    before it is done, and what waits behind it needn't wait for its own end to learn that it can't be read.
    """

    def __init__(self) -> None:
        self._inside = 0
        self._done = 0
        self._ends: deque[tuple[float, int]] = deque(maxlen=_WINDOW)  # instants, and the bytes that were done by then

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
        """What `size` bytes take at least after what is inside now, 0 where nothing is."""
        if not self._inside:
            return 0.0
        since, done = self._ends[0]
        return size * (now - since) / (self._done - done + self._inside)
