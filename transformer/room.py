"""Reserves room in the predictor's queue before an image is decoded.

A predictor refuses what doesn't fit into its queue. Decoding an image that is then refused is wasted work; at three times the
load a service would do little else. The capacity of all predictors together isn't known, and changes with their number. So it is
learnt, like TCP's congestion window: without refusals there is no limit. A refusal sets the limit a little below what was in
progress; after that, answers raise it slowly.

A page that detection processes in several passes or tiles reserves room for each further part. It goes before pages that
aren't started, because it holds memory that they wait for.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ppocr_api.errors import Overloaded
from ppocr_limits.shares import Line, Share, Shares
from transformer.pixel_gate import Hold

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
        self._granted = 0  # may be sent, and aren't at the moment
        self._refusals = 0
        self._shares = Shares()
        self._line: Line[_Waiting] = Line(self._shares)
        self._begun: Line[_Waiting] = Line(self._shares)

    @property
    def limit(self) -> float:
        """Pixels; infinite if nothing was refused yet."""
        return self._limit

    async def reserve(self, pixels: int, share: Share = None) -> Hold:
        """Waits until there is room. An image goes when nothing else does, however large it is."""
        if self._line or not self._fits(pixels):
            await self._wait(_Waiting(share, pixels, asyncio.get_running_loop().create_future()))
        else:
            self._reserved += pixels
        return Hold(lambda: self._give_back(pixels))

    @asynccontextmanager
    async def further(self, pixels: int, share: Share = None) -> AsyncIterator[None]:
        """Around making and sending a further part of a page that was started: waits until it may be sent."""
        self._reserved += pixels  # so that no page is started before it goes
        try:
            await self._grant(pixels, share)
            try:
                yield
            finally:
                self._granted -= pixels
        finally:
            self._give_back(pixels)

    @asynccontextmanager
    async def sent(self, pixels: int, share: Share = None, further: bool = False) -> AsyncIterator[None]:
        """Around the call that has `pixels` computed, which may have to wait: learns from what becomes of it. Of the calls that
        were in progress together the first that is refused counts. `further`: it needn't wait, as the part of a page that
        `further` let through."""
        if not further:
            await self._grant(pixels, share)
        self._granted -= pixels
        self._sent += pixels
        refusals = self._refusals
        try:
            yield
        except Overloaded:
            if refusals == self._refusals:
                self._refusals += 1
                self._limit = max((self._sent - pixels) * CUT, pixels)
            raise
        else:
            if self._line or self._begun or self._reserved + pixels > self._limit:
                self._limit += GROWTH * pixels
        finally:
            self._sent -= pixels
            self._granted += pixels if further else 0
            self._wake()

    async def _grant(self, pixels: int, share: Share) -> None:
        """Waits for calls in progress, which end by themselves. What is only reserved may wait for this page's memory."""
        if not self._begun and self._goes(pixels):
            self._granted += pixels
            return
        waiting = _Waiting(share, pixels, asyncio.get_running_loop().create_future())
        self._begun.add(share, waiting, time.monotonic())
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.done() and not waiting.turn.cancelled():
                self._granted -= pixels
            elif waiting in self._begun.arrived:
                self._begun.remove(share, waiting)
            self._wake()
            raise

    def _goes(self, pixels: int) -> bool:
        under_way = self._sent + self._granted
        return not under_way or under_way + pixels <= self._limit

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
        while (first := self._begun.next()) is not None and self._goes(first.pixels):
            self._begun.remove(first.share, first)
            if not first.turn.cancelled():
                self._granted += first.pixels
                first.turn.set_result(None)
        while (first := self._line.next()) is not None and self._fits(first.pixels):
            waiting = self._line.shares
            self._line.remove(first.share, first)
            if first.turn.cancelled():  # its task will notice in a moment
                continue
            self._shares.serve(first.share, first.pixels / _PIXELS_A_SECOND, waiting)
            self._reserved += first.pixels
            first.turn.set_result(None)
