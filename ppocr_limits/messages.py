"""Lets gRPC messages arrive, as many at a time as there is memory for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import RETRY_SECONDS, Budget, Claim

#: Waits for the bytes of a call's next message.
Read = Callable[[], Coroutine[Any, Any, bytes]]
#: What a message takes: as it came, as it was parsed, and the bytes in it as Python sees them.
_TIMES = 3
#: How long a message may arrive while others wait for its turn, in seconds.
SLOW_SECONDS = 5.0
#: What a message takes while it arrives: as gRPC puts it together, and as it hands it on.
_ARRIVING = 2


class Arrivals:
    """gRPC doesn't say how large a message is before all of it is here, and lets the client send it once it is waited for.

    So as many are waited for at a time as the budget has room for messages of `max_bytes`; others take their turn. One on its
    way from a client on the same network is here in some milliseconds.
    """

    def __init__(self, budget: Budget, max_bytes: int) -> None:
        self._turns = asyncio.Semaphore(max(1, budget.for_bodies // (_ARRIVING * max_bytes)))
        self._waiting = 0

    async def message(self, read: Read, claim: Claim) -> bytes:
        """The bytes of the message that `read` waits for, or what stands for none. `claim` grows to what it takes.

        Raises Overloaded, also where it arrives slowly while others wait, and PayloadTooLarge.
        """
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            raw = await self._arrived(read)
        finally:
            self._turns.release()
        return claimed(raw, claim)

    async def _arrived(self, read: Read) -> bytes:
        arriving = asyncio.ensure_future(read())
        try:
            while not (await asyncio.wait((arriving,), timeout=SLOW_SECONDS))[0]:
                if self._waiting:
                    raise Overloaded("the message arrives slowly, and others are waiting for their turn", RETRY_SECONDS)
            return arriving.result()
        finally:
            arriving.cancel()


def claimed(raw: bytes, claim: Claim) -> bytes:
    """`raw`, a message or what stands for none, once `claim` has grown to its size. Raises Overloaded and PayloadTooLarge."""
    if isinstance(raw, bytes):
        claim.resize(len(raw) * _TIMES)
    return raw
