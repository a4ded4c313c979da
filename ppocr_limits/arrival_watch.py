"""Cancels slow gRPC messages when messages in transit take too much memory.

gRPC doesn't tell when a message begins to arrive, or how much of it is here. But the process grows with what arrives. So its
size is checked while messages are awaited. If it grows too much, they are cancelled, and what has arrived is freed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import MIB, RETRY_SECONDS, Budget
from ppocr_limits.memory import memory_limit, release_freed, resident

#: How often the size of the process is looked at [seconds].
CHECK_INTERVAL_SECONDS = 0.05
#: The part of the memory up to which the process may grow meanwhile.
MAX_MEMORY_SHARE = 0.8
#: A process that was as large before isn't the messages' fault: it must have grown by so much since they are waited for [bytes].
MIN_GROWTH = 64 * MIB


class ArrivalWatch:
    """Over all messages that a server waits for. `size` and `limit` are the process' bytes, and those that it may have."""

    def __init__(
        self, budget: Budget, size: Callable[[], int] = resident, limit: Callable[[], int] = memory_limit
    ) -> None:
        self._most_growth = max(budget.for_bodies + budget.for_images, MIN_GROWTH)
        self.size = size
        self._limit = limit
        self._waiting: dict[asyncio.Future[bytes], None] = {}
        self._given_up: set[asyncio.Future[bytes]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._smallest = 0  # the process since messages are waited for

    def crowded(self, more: int) -> bool:
        """Whether what is waited for has filled the memory so far that `more` bytes have no room beside it."""
        if not self._waiting:
            return False
        size = self.size()
        return size + more > self._limit() * MAX_MEMORY_SHARE and size - self._smallest > MIN_GROWTH

    @staticmethod
    def too_much() -> Overloaded:
        return Overloaded("more messages arrive than there is memory for", RETRY_SECONDS)

    async def arrived(self, arriving: asyncio.Future[bytes]) -> bytes:
        """The result of `arriving`. Raises Overloaded if it was given up."""
        if arriving.done():
            return arriving.result()
        self._waiting[arriving] = None
        if self._looking is None:
            self._smallest = self.size()
            self._looking = asyncio.create_task(self._look())
        try:
            return await arriving
        except asyncio.CancelledError:
            if arriving in self._given_up:
                raise self.too_much() from None
            raise
        finally:
            arriving.cancel()
            self._waiting.pop(arriving, None)
            self._given_up.discard(arriving)

    async def _look(self) -> None:
        """Runs as long as anybody waits."""
        most = int(self._limit() * MAX_MEMORY_SHARE)
        while self._waiting:
            await asyncio.sleep(CHECK_INTERVAL_SECONDS)
            size = self.size()
            self._smallest = min(self._smallest, size)
            grown = size - self._smallest
            if grown > self._most_growth or (size > most and grown > MIN_GROWTH):
                for arriving in list(self._waiting):
                    self._given_up.add(arriving)
                    arriving.cancel()
                await asyncio.sleep(CHECK_INTERVAL_SECONDS)  # until gRPC has freed it
                await asyncio.to_thread(release_freed)
                self._smallest = self.size()
        self._looking = None
