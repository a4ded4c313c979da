"""Limits the memory of images in progress. Images beyond the limit wait in fair turns."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ppocr_api.errors import Overloaded
from ppocr_limits.shares import Line, Share, Shares
from transformer.turnover import Turnover

#: One part in this many of the memory is reserved for images that fit into it.
_KEPT = 8
#: Rough speed of decoding, scaling and cropping [bytes per second].
_BYTES_A_SECOND = 1e8
#: How often a waiting image checks whether it can still be read in time [seconds].
_CHECK_SECONDS = 0.5


class Hold:
    """Something reserved, until `release` is called. Further calls of `release` have no effect."""

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
    """A semaphore of bytes for the memory of images. Images wait in fair turns (ppocr_limits/shares.py).

    Large images leave a part of the capacity to small ones, so small ones never wait for a large one. An image larger than
    the rest of the capacity is admitted alone. A waiting image that can't be finished in time, at the current rate, is
    refused as soon as that is known.
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
        """Waits until `size` bytes are free; more than the capacity counts as the whole capacity.

        Raises Overloaded if the image can't be finished by `deadline`, a `time.monotonic()` instant.
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
        """Raises Overloaded if the image would not be finished by its deadline."""
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
        # Turns are fair: from another share, as many bytes go first as its own share has.
        before = sum(min(weight, own) for weight in others.values())
        needed = self._turnover[large].seconds(before + own, now)
        left = waiting.deadline - now
        if needed > left:
            raise Overloaded(
                f"it would take {needed:.0f} s, including the images ahead of it, and {left:.0f} s of its time are left",
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
