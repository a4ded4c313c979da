"""Lets gRPC messages arrive, as many at a time as there is memory for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ppocr_limits.arrival_watch import ArrivalWatch
from ppocr_limits.budget import Budget, Claim

#: Waits for the bytes of a call's next message.
Read = Callable[[], Coroutine[Any, Any, bytes]]
#: What a message takes: as it came, as it was parsed, and the bytes in it as Python sees them.
_TIMES = 3
#: How long a message keeps its turn while others wait for theirs, in seconds.
TURN_SECONDS = 0.25
#: What a message takes while it arrives: as gRPC puts it together, and as it hands it on.
_ARRIVING = 2


class Arrivals:
    """gRPC doesn't say how large a message is before all of it is here, and lets the client send it once it is waited for.

    So as many are waited for at a time as the budget has room for messages of `max_bytes`; others take their turn. One on its
    way from a client on the same network is here in some milliseconds. One that comes slowly, or not at all, goes on without a
    turn where others wait for theirs, and is watched, as are the messages of streams: those may be silent for minutes.
    """

    def __init__(self, budget: Budget, max_bytes: int, watch: ArrivalWatch | None = None) -> None:
        self._turns = asyncio.Semaphore(max(1, budget.for_bodies // (_ARRIVING * max_bytes)))
        self._watch = watch or ArrivalWatch(budget)
        self._waiting = 0

    async def message(self, read: Read, claim: Claim) -> bytes:
        """The bytes of a call's one message, or what stands for none. `claim` grows to what it takes.

        Raises Overloaded, also where more arrives than there is memory for, and PayloadTooLarge.
        """
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        arriving = asyncio.ensure_future(read())
        try:
            try:
                while not (await asyncio.wait((arriving,), timeout=TURN_SECONDS))[0] and not self._waiting:
                    pass
            finally:
                self._turns.release()
            return claimed(await self._watch.arrived(arriving), claim)
        finally:
            arriving.cancel()

    async def next_of_stream(self, read: Read) -> bytes:
        """The bytes of a stream's next message, or what stands for its end. Raises Overloaded."""
        return await self._watch.arrived(asyncio.ensure_future(read()))


def claimed(raw: bytes, claim: Claim) -> bytes:
    """`raw`, a message or what stands for none, once `claim` has grown to its size. Raises Overloaded and PayloadTooLarge."""
    if isinstance(raw, bytes):
        claim.resize(len(raw) * _TIMES)
    return raw
