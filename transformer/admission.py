"""How much is admitted at a time: images by count (more are refused), their memory by weight (more wait)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ppocr_api.errors import Cancelled, DeadlineExceeded, Overloaded, PpocrError, Unavailable
from ppocr_limits.shares import Line, Share, Shares
from transformer.pace import Pace
from transformer.turnover import Turnover

#: The part of a request's time in which its turn has to come: the rest is for its own images.
_OF_ITS_TIME = 0.6
#: The slowest pace that counts, in seconds an image: what takes longer is large, and small ones don't wait for it.
_SLOWEST = 2.5
#: Who leaves after this part of a request's time left because it was up.
_UP = 0.9
#: Ends of a request that say nothing of how fast images are read.
_GIVEN_UP = (Cancelled, DeadlineExceeded, Overloaded, Unavailable)
#: A share may have this many times the places that stay free: so there is always room for somebody else.
_TIMES_FREE = 3
#: The part of the memory that is kept for images which are no larger than it: an eighth.
_KEPT = 8
#: What a machine decodes, scales and cuts in a second, about [bytes].
_BYTES_A_SECOND = 1e8
#: How often what waits for memory is asked whether it still can be read in time [seconds].
_LOOKS = 0.5


class Admission:
    """At most `limit` images at a time. Refuses at once, and says after how long to try again."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._by_share: Counter[Share] = Counter()
        self._pace = Pace()
        self._late = False  # whether time was up for somebody since nothing was last inside

    @property
    def inside(self) -> int:
        return self._inside

    @contextmanager
    def enter(self, images: int, share: Share = None, seconds: float | None = None) -> Iterator[Callable[[], None]]:
        """All of a request's images or none. A request larger than the limit is admitted when nothing else is.

        What is large leaves room for others: a share has _TIMES_FREE times what stays free at most, and one image in any case.
        `seconds` is how long the request may take. One whose turn would come too late is refused as well: else, at too much load,
        all are begun and hardly any is answered in time. What is yielded is to be called when an image is read.
        """
        now = time.monotonic()
        self._check(images, share, seconds, self._pace.seconds(now))
        self._pace.begins(now)
        self._inside += images
        self._by_share[share] += images
        done, read = False, 0

        def answered() -> None:
            nonlocal read
            read += 1
            self._pace.done(1, time.monotonic())

        try:
            yield answered
            done = True
        except PpocrError as error:
            # What was wrong is done with, too: else a flood of it would look like a slow service.
            done = not isinstance(error, _GIVEN_UP)
            raise
        finally:
            late = not done and seconds is not None and time.monotonic() - now > _UP * seconds
            self._late = self._late or late
            self._inside -= images
            self._by_share[share] -= images
            if not self._by_share[share]:
                del self._by_share[share]
            if done and images > read:
                self._pace.done(images - read, time.monotonic())
            if not self._inside:
                self._pace.ends(time.monotonic(), self._late)
                self._late = False

    def _check(self, images: int, share: Share, seconds: float | None, pace: float) -> None:
        if not self._inside:
            return
        free = self._limit - self._inside - images
        of_share = self._by_share[share] + images if share is not None else images
        if free < 0 or of_share > max(1, _TIMES_FREE * free):
            raise Overloaded(
                f"{self._inside} images are being read, and at most {self._limit} are at a time"
                + ("" if free < 0 else "; the places that are left are kept for smaller requests"),
                retry_after=self._inside * pace,
            )
        # Turns are fair: of another share as many images go before these as these are.
        before = sum(count if each == share else min(count, images) for each, count in self._by_share.items())
        pace = min(pace, _SLOWEST)
        if seconds is not None and before * pace > _OF_ITS_TIME * seconds:
            raise Overloaded(
                f"{before} images go before it, which would take {before * pace:.0f} s of its {seconds:.0f} s",
                retry_after=before * pace - _OF_ITS_TIME * seconds,
            )


class Hold:
    """What a gate admitted, until they are released; further releases change nothing."""

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


@dataclass(eq=False, slots=True)
class _Waiting:
    share: Share
    weight: int
    deadline: float | None
    turn: asyncio.Future[None]


class PixelGate:
    """A semaphore of bytes: bounds the memory of images. Those that wait come in fair turns (ppocr_limits/shares.py).

    Large images leave a part of the capacity to the small ones, which then never wait for a large one to be read. One that is
    larger than what this leaves comes alone. One that can't be read in its time, at the rate at which those inside are, is
    refused as soon as that shows, and not begun.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept = capacity // _KEPT
        self._inside = {True: 0, False: 0}  # by whether an image is large
        shares = Shares()
        self._shares = shares
        self._lines: dict[bool, Line[_Waiting]] = {True: Line(shares), False: Line(shares)}
        self._turnover = {True: Turnover(), False: Turnover()}

    async def hold(self, size: int, share: Share = None, deadline: float | None = None) -> Hold:
        """Waits until `size` bytes are free; more than the capacity counts as all of it.

        Raises Overloaded where it can't be read by `deadline`, a `time.monotonic()` instant.
        """
        weight = min(size, self._capacity)
        large = weight > self._kept
        if self._lines[large] or not self._fits(large, weight):
            turn = asyncio.get_running_loop().create_future()
            await self._wait(large, _Waiting(share, weight, deadline, turn))
        else:
            self._let_in(large, weight)
        return Hold(lambda: self._release(large, weight))

    def _fits(self, large: bool, weight: int) -> bool:
        inside = self._inside[large] + weight
        if weight > self._capacity - self._inside[True] - self._inside[False]:
            return False
        if large:
            return inside <= self._capacity - self._kept or not self._inside[True]
        waiting = self._lines[True].next()
        # While a large image waits, small ones have only what it leaves them, or it would wait for ever.
        return waiting is None or inside <= min(self._kept, self._capacity - waiting.weight)

    async def _wait(self, large: bool, waiting: _Waiting) -> None:
        self._lines[large].add(waiting.share, waiting, time.monotonic())
        try:
            while not waiting.turn.done():
                self._check(large, waiting)
                await asyncio.wait((waiting.turn,), timeout=None if waiting.deadline is None else _LOOKS)
        except (asyncio.CancelledError, Overloaded):
            if waiting.turn.done():
                self._release(large, waiting.weight)
            else:
                self._lines[large].remove(waiting.share, waiting)
                self._wake()
            raise

    def _check(self, large: bool, waiting: _Waiting) -> None:
        """Raises Overloaded where its time is up before it is read."""
        now, line = time.monotonic(), self._lines[large]
        if waiting.deadline is None:
            return
        own = 0  # of its share, with itself
        others: Counter[Share] = Counter()
        for each in line:
            if each.share != waiting.share:
                others[each.share] += each.weight
            elif line.arrived[each] <= line.arrived[waiting]:
                own += each.weight
            if each is waiting:
                break
        # Turns are fair: of another share as much goes before it as its own has.
        before = sum(min(weight, own) for weight in others.values())
        needed = self._turnover[large].seconds(before + own, now)
        left = waiting.deadline - now
        if needed > left:
            raise Overloaded(
                f"it would be read in {needed:.0f} s, after images that go before it, and {left:.0f} s of its time are left",
                retry_after=needed - left,
            )

    def _let_in(self, large: bool, weight: int) -> None:
        self._inside[large] += weight
        self._turnover[large].begins(weight, time.monotonic())

    def _release(self, large: bool, weight: int) -> None:
        self._inside[large] -= weight
        self._turnover[large].ends(weight, time.monotonic())
        self._wake()

    def _wake(self) -> None:
        for large, line in self._lines.items():
            while (first := line.next()) is not None and self._fits(large, first.weight):
                waiting = sum(each.shares for each in self._lines.values())
                line.remove(first.share, first)
                self._shares.serve(first.share, first.weight / _BYTES_A_SECOND, waiting)
                self._let_in(large, first.weight)
                first.turn.set_result(None)
