"""Messages of open streams: waited for without a turn, and given up where all that arrives at a time is too much.

A stream may be silent for minutes between two messages, so it can't hold one of the turns that the messages of single calls take
(messages.py). gRPC says neither that a message has begun to arrive nor how much of it is here. But the process grows with what
arrives: so its size is looked at while streams wait, and where it grows too much they end, and with them what has arrived.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import MIB, RETRY_SECONDS, Budget
from ppocr_limits.memory import give_back, memory_limit, resident
from ppocr_limits.messages import Read

#: How often the size of the process is looked at while streams wait [seconds].
LOOK_SECONDS = 0.05
#: The part of the memory up to which the process may grow while streams wait.
MOST = 0.85
#: A process that was as large before isn't the streams' fault: it must have grown by so much since they wait [bytes].
GROWN = 64 * MIB


class StreamMessages:
    """Waits for the next message of each stream of a server. `size` and `limit` are the process' bytes, and those it may have."""

    def __init__(
        self, budget: Budget, size: Callable[[], int] = resident, limit: Callable[[], int] = memory_limit
    ) -> None:
        self._most_growth = budget.for_bodies + budget.for_images
        self._size = size
        self._limit = limit
        self._waiting: dict[asyncio.Future[bytes], None] = {}
        self._given_up: set[asyncio.Future[bytes]] = set()
        self._watch: asyncio.Task[None] | None = None

    async def message(self, read: Read) -> bytes:
        """The bytes of the message that `read` waits for, or what stands for none. Raises Overloaded where it was given up."""
        arriving = asyncio.ensure_future(read())
        self._waiting[arriving] = None
        if self._watch is None:
            self._watch = asyncio.create_task(self._look())
        try:
            return await arriving
        except asyncio.CancelledError:
            if arriving in self._given_up:
                raise Overloaded("more arrives on streams than there is memory for", RETRY_SECONDS) from None
            raise
        finally:
            arriving.cancel()
            self._waiting.pop(arriving, None)
            self._given_up.discard(arriving)

    async def _look(self) -> None:
        """Runs as long as anybody waits."""
        most = int(self._limit() * MOST)
        smallest = self._size()
        while self._waiting:
            await asyncio.sleep(LOOK_SECONDS)
            size = self._size()
            smallest = min(smallest, size)
            grown = size - smallest
            if grown > self._most_growth or (size > most and grown > GROWN):
                for arriving in list(self._waiting):
                    self._given_up.add(arriving)
                    arriving.cancel()
                await asyncio.sleep(LOOK_SECONDS)  # until gRPC has freed it
                await asyncio.to_thread(give_back)
                smallest = self._size()
        self._watch = None
