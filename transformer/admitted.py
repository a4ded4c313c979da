"""Requests inside: which of them can't be read in its time beside the others, and is given up so that the others can."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ppocr_api.errors import Overloaded
from ppocr_limits.shares import Share

#: How sure it must be: this part of the time that it would need is still more than it has.
_SURE = 0.9


@dataclass(eq=False, slots=True)
class Admitted:
    """A request whose images are being read: `read` of them are, `left` aren't yet. Instants are of `time.monotonic()`."""

    share: Share
    left: int
    began: float
    deadline: float | None
    on_answer: Callable[[], None]
    read: int = 0
    refusal: Overloaded | None = None
    _limit: asyncio.Timeout | None = None

    def answered(self) -> None:
        """An image was read."""
        self.read += 1
        self.left -= 1
        self.on_answer()

    @asynccontextmanager
    async def unless_given_up(self) -> AsyncIterator[None]:
        """Around the reading, which `give_up` ends: raises what it was given up with."""
        try:
            async with asyncio.timeout(None) as self._limit:
                yield
        except TimeoutError:
            if self.refusal is None:
                raise
            raise self.refusal from None
        finally:
            self._limit = None

    def give_up(self, refusal: Overloaded) -> None:
        self.refusal = refusal
        if self._limit is not None:
            self._limit.reschedule(0.0)

    def own_seconds(self, now: float) -> float:
        """What the images that are left take at the rate of those that were read, and of one that is about to be."""
        return self.left * (now - self.began) / (self.read + 1)


def too_late(requests: Sequence[Admitted], pace: float, now: float) -> tuple[Admitted, float] | None:
    """The newest of `requests` that can't be read in its time because of the others, and the seconds that it lacks.

    `requests` are in the order in which they came; `pace` is that of all their images, in seconds each. A request's images may be
    of another kind, so its own rate must say the same. One that couldn't be read in time alone stays: others aren't the reason.
    """
    for index in range(len(requests) - 1, -1, -1):
        request = requests[index]
        if request.deadline is None or request.refusal is not None:
            continue
        remaining = request.deadline - now
        if request.left * pace > remaining or _SURE * request.own_seconds(now) <= remaining:
            continue
        needed = _images_until(index, requests) * pace
        if _SURE * needed > remaining:
            return request, needed - remaining
    return None


def _images_until(index: int, requests: Sequence[Admitted]) -> int:
    """Images that are read until the last one of a request is, its own among them."""
    request = requests[index]
    own = request.left
    others: Counter[Share] = Counter()
    for place, other in enumerate(requests):
        if other.share == request.share:
            own += other.left if place < index else 0
        elif place < index or other.left < request.left:
            others[other.share] += other.left
    # Turns are fair: of another share as many go before these as its own has. A newer request goes before it where it is smaller.
    return own + sum(min(left, own) for left in others.values())
