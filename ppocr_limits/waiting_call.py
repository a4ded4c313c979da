"""A gRPC call whose wait can be ended, so that another call gets its place."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import RETRY_SECONDS

T = TypeVar("T")


class WaitingCall:
    """A `Connection` of `Places`: the call of the current task, in which gRPC also sends its answers."""

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._waits_for: asyncio.Future[Any] | None = None
        self._gives_way = False

    async def wait(self, awaited: asyncio.Future[T], refusal: str) -> T:
        """The result of `awaited`, which is cancelled at the end. Raises Overloaded if the call had to give way."""
        self._waits_for = awaited
        try:
            return await awaited
        except asyncio.CancelledError:
            if self._gives_way:
                raise Overloaded(refusal, RETRY_SECONDS) from None
            raise
        finally:
            awaited.cancel()
            self._waits_for = None

    def abort(self) -> None:
        """As `give_way`: gRPC has no quicker end."""
        self.give_way()

    def give_way(self) -> None:
        """Ends `wait`, or if nothing is awaited the task, which waits for its client to read an answer."""
        self._gives_way = True
        waiting = self._waits_for or self._task
        if waiting is not None:
            waiting.cancel()
