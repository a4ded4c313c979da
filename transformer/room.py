"""Room in the predictor's queue, which is reserved before an image is decoded.

A predictor refuses what is more than its queue takes. An image that is decoded first, and refused then, was decoded for nothing;
at three times the load a service would do little else. How much the predictors take together isn't known, and changes with
their number: so it is learnt, as TCP learns what a network takes. As long as nothing is refused, everything goes. A refusal says
that what is on its way is too much; after it a little less may be, and from then on slowly more, as answers come.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ppocr_api.errors import Overloaded
from ppocr_limits.shares import Line, Share, Shares
from transformer.admission import Hold

#: What may be on its way after a refusal, as a part of what the predictors had taken.
CUT = 0.95
#: Each image that is answered while the room is used up lets it grow by this part of the image.
GROWTH = 0.05
_PIXELS_A_SECOND = 1e7


@dataclass(eq=False, slots=True)
class _Waiting:
    share: Share
    pixels: int
    turn: asyncio.Future[None]


class Room:
    """Pixels of detection that may be on their way, and are: decoded, waiting for the network, or computed."""

    def __init__(self) -> None:
        self._limit = math.inf
        self._reserved = 0
        self._sent = 0
        self._refusals = 0
        self._shares = Shares()
        self._line: Line[_Waiting] = Line(self._shares)

    @property
    def limit(self) -> float:
        """Pixels; infinite where nothing was refused yet."""
        return self._limit

    async def reserve(self, pixels: int, share: Share = None) -> Hold:
        """Waits until there is room. An image goes when nothing else does, however large it is."""
        if self._line or not self._fits(pixels):
            await self._wait(_Waiting(share, pixels, asyncio.get_running_loop().create_future()))
        else:
            self._reserved += pixels
        return Hold(lambda: self._give_back(pixels))

    @contextmanager
    def sent(self, pixels: int) -> Iterator[None]:
        """Around the call that has `pixels` computed: learns from what becomes of it. Of the calls that were under way together
        the first that is refused counts."""
        refusals = self._refusals
        self._sent += pixels
        try:
            yield
        except Overloaded:
            if refusals == self._refusals:
                self._refusals += 1
                self._limit = max((self._sent - pixels) * CUT, pixels)
            raise
        else:
            if self._line or self._reserved + pixels > self._limit:
                self._limit += GROWTH * pixels
        finally:
            self._sent -= pixels

    def _fits(self, pixels: int) -> bool:
        return not self._reserved or self._reserved + pixels <= self._limit

    async def _wait(self, waiting: _Waiting) -> None:
        self._line.add(waiting.share, waiting, time.monotonic())
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.done() and not waiting.turn.cancelled():
                self._give_back(waiting.pixels)
            elif waiting in self._line.arrived:
                self._line.remove(waiting.share, waiting)
                self._wake()
            raise

    def _give_back(self, pixels: int) -> None:
        self._reserved -= pixels
        self._wake()

    def _wake(self) -> None:
        while (first := self._line.next()) is not None and self._fits(first.pixels):
            waiting = self._line.shares
            self._line.remove(first.share, first)
            if first.turn.cancelled():  # its task will notice in a moment
                continue
            self._shares.serve(first.share, first.pixels / _PIXELS_A_SECOND, waiting)
            self._reserved += first.pixels
            first.turn.set_result(None)
