"""gRPC calls whose message doesn't come, or whose answer isn't read, are ended when others wait for their place.

gRPC itself refuses every call beyond a number, health probes too: a few clients that open calls and then do nothing would lock
all others out until their time is up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import RETRY_SECONDS, Claim
from ppocr_limits.places import Places
from ppocr_limits.waiting_call import WaitingCall

#: The part of the places that gRPC has beyond them, for calls that are about to be refused or ended.
SPARE = 4


class CallPlaces:
    """`most` calls at a time. For one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._places = Places()

    def taken(self, always: bool = False) -> Place:
        """A place for the call of this task, kept until the task ends: gRPC sends the answer in it. `always`: let it in even if
        all places are taken, as a probe."""
        return Place(self, always)

    def enter(self, always: bool) -> None:
        """Raises Overloaded if all places are taken by calls at work."""
        self._open += 1
        if self._open > self._most and not self._places.free_one() and not always:
            raise Overloaded(f"{self._most} calls are open already", RETRY_SECONDS)

    def waits(self, place: Place) -> None:
        """Nothing is done for it until its client does something."""
        self._places.arrives(place)

    def works(self, place: Place) -> None:
        """Something is done for it."""
        self._places.works(place)

    def leave(self, place: Place) -> None:
        """It has ended."""
        self._open -= 1
        self._places.leaves(place)


class Place(WaitingCall):
    """The place of one call: a context manager around making its answer."""

    def __init__(self, places: CallPlaces, always: bool) -> None:
        super().__init__()
        self._all = places
        self._always = always
        self._entered = False

    async def message(self, read: Callable[[Claim], Coroutine[Any, Any, bytes]], claim: Claim) -> bytes:
        """The call's message, which `read` waits for. Raises Overloaded if there is no place, and if it was ended for another."""
        self._entered = True
        self._all.enter(self._always)
        arriving = asyncio.create_task(read(claim))
        self._all.waits(self)
        try:
            return await self.wait(arriving, "the message was slow, and others wait for its place")
        finally:
            self._all.works(self)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        """Its answer is sent from now on."""
        if self._entered and self._task is not None:
            self._all.waits(self)
            self._task.add_done_callback(self._ended)

    def _ended(self, _: object) -> None:
        self._all.leave(self)
