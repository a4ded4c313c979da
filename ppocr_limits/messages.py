"""Limits how many gRPC messages arrive at the same time, by the available memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from ppocr_limits.arrival_watch import ArrivalWatch
from ppocr_limits.budget import Budget, Claim
from ppocr_limits.memory import release_freed

#: A function that waits for the bytes of a call's next message.
Read = Callable[[], Coroutine[Any, Any, bytes]]
#: Memory of a message, as a multiple of its size: the raw bytes, the parsed message, and its bytes as Python objects.
_TIMES = 3
#: How long an arriving message keeps its turn while others wait, and how long a silent one does [seconds].
TURN_SECONDS, CHECK_INTERVAL_SECONDS = 5.0, 0.2
#: Growth of the process in CHECK_INTERVAL_SECONDS if a message arrives quickly [bytes].
QUICK_GROWTH = 1 << 20
#: From this many waiting calls on, a message is checked after this part of the interval. Otherwise calls that send nothing would
#: delay all of them, one after the other.
MANY, HURRY = 64, 0.05
#: Memory of an arriving message, as a multiple of its size: gRPC's buffers, and the assembled copy.
_ARRIVING = 2


class Arrivals:
    """Limits how many messages arrive at the same time.

    gRPC doesn't tell how large a message is before all of it is here, and lets the client send it as soon as it is awaited. So
    only as many messages are awaited at the same time as the budget has room for at `max_bytes` each; others wait for their
    turn. From a client on the same network a message arrives within milliseconds. A message that is slow or silent loses its
    turn when others wait, and is watched instead. If such messages have filled the memory, no new one gets a turn: on a
    busy machine all messages are slow.
    """

    def __init__(self, budget: Budget, max_bytes: int, watch: ArrivalWatch | None = None) -> None:
        self._largest = _ARRIVING * max_bytes
        self._turns = asyncio.Semaphore(max(1, budget.for_bodies // self._largest))
        self._watch = watch or ArrivalWatch(budget)
        self._waiting = 0
        self._others_wait = asyncio.Event()

    async def message(self, read: Read, claim: Claim, in_turn: bool = True) -> bytes:
        """The bytes of a unary call's message, or gRPC's marker for none. `claim` is resized to its memory.
        With `in_turn` false it waits for no turn: a probe's message is empty.

        Raises Overloaded, also if more arrives than there is memory for, and PayloadTooLarge.
        """
        if in_turn:
            return claimed(await self.next_message(read), claim)
        return claimed(await self._watch.arrived(asyncio.ensure_future(read())), claim)

    async def next_message(self, read: Read) -> bytes:
        """The bytes of a stream's next message, without a claim, or gRPC's marker for its end. Raises Overloaded."""
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
        """Waits while messages without a turn leave no room for the largest message. Raises Overloaded after a while."""
        began = time.monotonic()
        while self._watch.crowded(self._largest):
            if time.monotonic() - began > TURN_SECONDS:
                raise self._watch.too_much()
            await asyncio.to_thread(release_freed)  # freed memory may still count
            await asyncio.sleep(CHECK_INTERVAL_SECONDS)

    async def _while_it_comes(self, arriving: asyncio.Future[bytes]) -> None:
        """Waits until the message is here, or others wait and it isn't arriving quickly, judged by the growth of the process."""
        others = asyncio.ensure_future(self._others_wait.wait())
        began, quiet = time.monotonic(), False
        try:
            while not arriving.done():
                size = self._watch.size()
                part = HURRY if self._waiting >= MANY else 1.0
                awaited = (arriving, others) if quiet else (arriving,)
                await asyncio.wait(awaited, timeout=CHECK_INTERVAL_SECONDS * part, return_when=asyncio.FIRST_COMPLETED)
                if quiet and self._waiting:
                    return
                quiet = self._watch.size() - size < QUICK_GROWTH * part or time.monotonic() - began > TURN_SECONDS
                if others.done() and not self._waiting:
                    others = asyncio.ensure_future(self._others_wait.wait())
        finally:
            others.cancel()


def claimed(raw: bytes, claim: Claim) -> bytes:
    """Resizes `claim` to the memory of `raw`, a message or a marker, and returns `raw`. Raises Overloaded and PayloadTooLarge."""
    if isinstance(raw, bytes):
        claim.resize(len(raw) * _TIMES)
    return raw
