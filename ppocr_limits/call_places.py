"""gRPC calls whose message doesn't come give way where all places are taken, as HTTP's connections do (places.py).

gRPC itself refuses every call beyond a number, probes of the service's health as well: a few clients that open calls and send
nothing would have the service for themselves until their time is up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import RETRY_SECONDS, Claim
from ppocr_limits.places import Places

#: The part of the places that gRPC has beyond them, for calls that are about to be refused, or to end because they gave way.
SPARE = 4


class CallPlaces:
    """`most` calls at a time. For one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._places = Places()

    def taken(self, always: bool = False) -> Place:
        """A place for a call, given back at the end of the block. `always`: also where there is none, as for a probe."""
        return Place(self, always)

    def _enter(self, always: bool) -> None:
        self._open += 1
        if self._open > self._most and not self._places.free_one() and not always:
            raise Overloaded(f"{self._most} calls are open already", RETRY_SECONDS)


class Place:
    """Of one call."""

    def __init__(self, places: CallPlaces, always: bool) -> None:
        self._all = places
        self._always = always
        self._entered = self._gives_way = False
        self._arriving: asyncio.Task[bytes] | None = None

    async def message(self, read: Callable[[Claim], Coroutine[Any, Any, bytes]], claim: Claim) -> bytes:
        """The call's message, which `read` waits for. Raises Overloaded where there is no place, and where it gave way."""
        self._entered = True
        self._all._enter(self._always)
        self._arriving = asyncio.create_task(read(claim))
        self._all._places.arrives(self)
        try:
            return await self._arriving
        except asyncio.CancelledError:
            if self._gives_way:
                raise Overloaded("the message was slow, and others wait for its place", RETRY_SECONDS) from None
            raise
        finally:
            self._arriving.cancel()
            self._all._places.leaves(self)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self._all._open -= self._entered

    def abort(self) -> None:
        self.give_way()

    def give_way(self) -> None:
        """Ends the wait for its message."""
        self._gives_way = True
        if self._arriving is not None:
            self._arriving.cancel()
