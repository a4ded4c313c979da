"""Requests in progress: finds those that can't be finished in time, which are cancelled so that older ones can be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ppocr_api.errors import Overloaded
from ppocr_limits.shares import Share

#: A safety margin: a request is cancelled if even this part of the estimated time is longer than its remaining time.
_SURE = 0.9


@dataclass(eq=False, slots=True)
class Admitted:
    """A request in progress: `read` of its images are finished, `left` are not. Instants are of `time.monotonic()`."""

    share: Share
    left: int
    began: float
    deadline: float | None
    on_answer: Callable[[], None]
    read: int = 0
    refusal: Overloaded | None = None
    _limit: asyncio.Timeout | None = None

    @property
    def images(self) -> int:
        """All images of the request."""
        return self.read + self.left

    def answered(self) -> None:
        """To be called when an image is finished."""
        self.read += 1
        self.left -= 1
        self.on_answer()

    @asynccontextmanager
    async def unless_given_up(self) -> AsyncIterator[None]:
        """Wraps the work on the request. Raises the error of `give_up` if that was called meanwhile."""
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
        """Cancels the request."""
        self.refusal = refusal
        if self._limit is not None:
            self._limit.reschedule(0.0)

    def own_seconds(self, now: float) -> float:
        """Estimated seconds for the images that are left, at the request's own rate; the image in progress counts as finished."""
        return self.left * (now - self.began) / (self.read + 1)


def too_late(requests: Sequence[Admitted], pace: float, now: float) -> tuple[Admitted, float] | None:
    """The newest of `requests` that can't be finished in time because of the others, and the seconds that it lacks.

    `requests` are sorted by arrival; `pace` is in seconds per image, over the images of all requests. The images of one request
    may be of another kind, so its own rate must lead to the same result. A request that would be late even alone is not returned.
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
    """Number of images that are finished until the last one of a request is, including its own."""
    request = requests[index]
    own = request.left
    others: Counter[Share] = Counter()
    for place, other in enumerate(requests):
        if other.share == request.share:
            own += other.left if place < index else 0
        elif place < index or other.left < request.left:
            others[other.share] += other.left
    # Turns are fair: from another share, as many images go first as this request has. A newer request goes first if smaller.
    return own + sum(min(left, own) for left in others.values())
