"""Limits answers that clients don't read, because they stay in the memory of this process.

An answer with pictures has tens of megabytes. Slow clients are waited for, stalled ones aren't. If all unread answers
together are too large, the oldest one is dropped first.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

#: How often is looked [seconds].
CHECK_INTERVAL_SECONDS = 1.0
#: A client that takes in less in a time is one that has stopped [bytes].
MIN_PROGRESS = 64 << 10


@dataclass(slots=True)
class _Unread:
    size: int
    since: float


class UnreadAnswers:
    """Of all connections of a server: at most `most` bytes, and none that stands still for `seconds`. One alone may be larger."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._waiting: dict[asyncio.Transport, _Unread] = {}  # the one that has waited longest comes first
        self._timer: asyncio.TimerHandle | None = None

    def add(self, transport: asyncio.Transport) -> None:
        """The client of `transport` takes in less than is written to it."""
        self._waiting[transport] = _Unread(transport.get_write_buffer_size(), time.monotonic())
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CHECK_INTERVAL_SECONDS, self._look)

    def remove(self, transport: asyncio.Transport) -> None:
        """It has taken in all of it, or is gone."""
        self._waiting.pop(transport, None)

    def _look(self) -> None:
        self._timer = None
        now, whole = time.monotonic(), 0
        for transport, known in list(self._waiting.items()):
            size = transport.get_write_buffer_size()
            if size > known.size or known.size - size >= MIN_PROGRESS:
                known.size, known.since = size, now
            elif now - known.since >= self._seconds:
                self._give_up(transport)
                continue
            whole += size
        while whole > self._most and len(self._waiting) > 1:
            oldest = next(iter(self._waiting))
            whole -= oldest.get_write_buffer_size()
            self._give_up(oldest)
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(CHECK_INTERVAL_SECONDS, self._look)

    def _give_up(self, transport: asyncio.Transport) -> None:
        self.remove(transport)
        transport.abort()
