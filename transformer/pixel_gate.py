"""A gate for the memory of images: those for which there is none wait in fair turns."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ppocr_api.errors import Overloaded
from ppocr_limits.shares import Line, Share, Shares
from transformer.turnover import Turnover

#: The part of the memory that is kept for images which are no larger than it: an eighth.
_KEPT = 8
#: What a machine decodes, scales and cuts in a second, about [bytes].
_BYTES_A_SECOND = 1e8
#: How often a waiting image checks whether it can still be read in time [seconds].
_CHECK_SECONDS = 0.5


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
                await asyncio.wait((waiting.turn,), timeout=None if waiting.deadline is None else _CHECK_SECONDS)
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
