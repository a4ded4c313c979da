"""Limits how many gRPC messages arrive at the same time, by the available memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from ppocr_limits.arrival_watch import ArrivalWatch
from ppocr_limits.budget import Budget, Claim
from ppocr_limits.memory import give_back

#: Waits for the bytes of a call's next message.
Read = Callable[[], Coroutine[Any, Any, bytes]]
#: What a message takes: as it came, as it was parsed, and the bytes in it as Python sees them.
_TIMES = 3
#: How long a message that comes may keep its turn while others wait for theirs, and one that doesn't [seconds].
TURN_SECONDS, LOOK_SECONDS = 5.0, 0.2
#: Where so many wait, a message is looked at after this part of the time: else calls that send nothing would keep all of them
#: waiting, one after the other.
MANY, HURRY = 64, 0.05
#: By so much the process grows in LOOK_SECONDS where a message comes quickly [bytes].
COMES = 1 << 20
#: What a message takes while it arrives: as gRPC puts it together, and as it hands it on.
_ARRIVING = 2


class Arrivals:
    """gRPC doesn't say how large a message is before all of it is here, and lets the client send it once it is waited for.

    So as many are waited for at a time as the budget has room for messages of `max_bytes`; others take their turn. One on its
    way from a client on the same network is here in some milliseconds. One that comes slowly, or not at all, as on a stream that
    says nothing for a while, continues without a turn where others wait for theirs, and is watched. Where those have filled the
    memory nobody gets a turn: on a busy machine all messages come slowly.
    """

    def __init__(self, budget: Budget, max_bytes: int, watch: ArrivalWatch | None = None) -> None:
        self._largest = _ARRIVING * max_bytes
        self._turns = asyncio.Semaphore(max(1, budget.for_bodies // self._largest))
        self._watch = watch or ArrivalWatch(budget)
        self._waiting = 0
        self._others_wait = asyncio.Event()

    async def message(self, read: Read, claim: Claim, in_turn: bool = True) -> bytes:
        """The bytes of a call's one message, or what stands for none. `claim` grows to what it takes. A probe, whose message is
        empty, waits for no turn.

        Raises Overloaded, also if more arrives than there is memory for, and PayloadTooLarge.
        """
        if in_turn:
            return claimed(await self.next_message(read), claim)
        return claimed(await self._watch.arrived(asyncio.ensure_future(read())), claim)

    async def next_message(self, read: Read) -> bytes:
        """The bytes of a call's next message, which nothing is claimed for, or what stands for its end. Raises Overloaded."""
        await self._turn()
        arriving = asyncio.ensure_future(read())
        try:
            try:
                await self._while_it_comes(arriving)
            finally:
                self._turns.release()
            return await self._watch.arrived(arriving)
        finally:
            arriving.cancel()

    async def _turn(self) -> None:
        self._waiting += 1
        self._others_wait.set()
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._others_wait.clear()
        try:
            await self._room()
        except BaseException:
            self._turns.release()
            raise

    async def _room(self) -> None:
        """Waits while what comes without a turn leaves no room for the largest message. Raises Overloaded after a while."""
        began = time.monotonic()
        while self._watch.crowded(self._largest):
            if time.monotonic() - began > TURN_SECONDS:
                raise self._watch.too_much()
            await asyncio.to_thread(give_back)  # what was freed may still count
            await asyncio.sleep(LOOK_SECONDS)

    async def _while_it_comes(self, arriving: asyncio.Future[bytes]) -> None:
        """Until it is here, or others wait while nothing comes: what comes quickly makes the process grow."""
        others = asyncio.ensure_future(self._others_wait.wait())
        began, quiet = time.monotonic(), False
        try:
            while not arriving.done():
                size = self._watch.size()
                part = HURRY if self._waiting >= MANY else 1.0
                awaited = (arriving, others) if quiet else (arriving,)
                await asyncio.wait(awaited, timeout=LOOK_SECONDS * part, return_when=asyncio.FIRST_COMPLETED)
                if quiet and self._waiting:
                    return
                quiet = self._watch.size() - size < COMES * part or time.monotonic() - began > TURN_SECONDS
                if others.done() and not self._waiting:
                    others = asyncio.ensure_future(self._others_wait.wait())
        finally:
            others.cancel()


def claimed(raw: bytes, claim: Claim) -> bytes:
    """`raw`, a message or what stands for none, once `claim` has grown to its size. Raises Overloaded and PayloadTooLarge."""
    if isinstance(raw, bytes):
        claim.resize(len(raw) * _TIMES)
    return raw
