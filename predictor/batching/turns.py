"""A fair semaphore for the device."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """Admits `count` threads at a time, in the order of their arrival.

    threading.Semaphore doesn't keep the order: the thread that leaves could come in again before one that waits with
    its batch in hand has woken up.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
