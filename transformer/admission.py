"""How much is admitted at a time: images by count (more are refused), decoded pixels by weight (more wait)."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ppocr_api.errors import Overloaded

_SMOOTHING = 0.1


class Admission:
    """At most `limit` images at a time. Refuses at once, and says after how long to try again."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._seconds_per_image = 0.1

    @property
    def inside(self) -> int:
        return self._inside

    @contextmanager
    def enter(self, images: int) -> Iterator[None]:
        """All of a request's images or none. A request larger than the limit is admitted when nothing else is."""
        if self._inside and self._inside + images > self._limit:
            raise Overloaded(
                f"{self._inside} images are being read, and at most {self._limit} are at a time",
                retry_after=self._inside * self._seconds_per_image,
            )
        self._inside += images
        started, together = time.monotonic(), self._inside
        try:
            yield
        finally:
            self._inside -= images
            # Little's law: with `together` inside, one leaves every (time inside / together) seconds.
            seconds = (time.monotonic() - started) / together
            self._seconds_per_image += _SMOOTHING * (seconds - self._seconds_per_image)


class Hold:
    """Pixels that a gate admitted, until they are released; further releases change nothing."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        if self._release is not None:
            release, self._release = self._release, None
            release()

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class PixelGate:
    """A semaphore of pixels, first come, first served: bounds the memory of decoded images."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._free = capacity
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def hold(self, pixels: int) -> Hold:
        """Waits until `pixels` are free; more than the capacity counts as all of it."""
        weight = min(pixels, self._capacity)
        if self._waiting or weight > self._free:
            await self._wait(weight)
        else:
            self._free -= weight
        return Hold(lambda: self._release(weight))

    async def _wait(self, weight: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((weight, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(weight)
            else:
                self._waiting.remove((weight, turn))
                self._wake()
            raise

    def _release(self, weight: int) -> None:
        self._free += weight
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            weight, turn = self._waiting.popleft()
            self._free -= weight
            turn.set_result(None)
