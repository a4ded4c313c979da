"""The batching scheduler: requests come in on the event loop, batches are computed in worker threads.

One lock guards the queue. A free worker takes the next batch itself, so the device never waits for the event loop, and a
batch is composed at the last moment, after more items have arrived. With `prefetch`, one additional thread prepares its
batch while the others compute.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ppocr_api.errors import DeadlineExceeded, EngineError, InvalidRequest, Overloaded, PpocrError, Unavailable
from ppocr_limits.shares import Share
from predictor.batching.budgets import Budgets
from predictor.batching.compute import Gatherer, outcomes
from predictor.batching.limits import Limits
from predictor.batching.measures import Measures
from predictor.batching.observer import BatchObserver, DropReason, SilentObserver, Stats
from predictor.batching.queue import WaitingQueue
from predictor.batching.requests import Batch, Outcome, Outputs, Request, Told, tell
from predictor.batching.slots import Slot
from predictor.batching.turns import Turns

if TYPE_CHECKING:
    from ppocr.contract import U8

log = logging.getLogger(__name__)


class Scheduler:
    """Computes requests in batches. Create it and call its methods on one event loop."""

    def __init__(self, limits: Limits | None = None, observer: BatchObserver | None = None) -> None:
        self._limits = limits or Limits()
        self._observer = observer or SilentObserver()
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Condition()
        self._budgets = Budgets()
        self._device = Turns(self._limits.workers)
        self._in_flight = 0
        self._closing = False
        self._stopped = False
        self._idle = asyncio.Event()
        threads = self._limits.workers + self._limits.prefetch
        self._measures = Measures(threads)
        self._queue = WaitingQueue(
            self._budgets.pixels,
            self._limits.patience,
            self._limits.powers_of_two,
            self._measures.throughput.rate,
        )
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"forward-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def submit(
        self, slot: Slot, blocks: Sequence[U8], deadline: float | None = None, share: Share = None, told: Told = None
    ) -> list[Outputs]:
        """Computes `blocks`, arrays UINT8 [n,H,W,3] with n ≥ 1, on the network of `slot`; one answer per block, in order.

        `deadline` is a `time.monotonic()` instant, `share` the client's (ppocr_limits/shares.py). `told` is called per batch.
        The pixels must not change until the answer is there. Cancelling the awaiting task removes waiting work from the queue.

        Raises Overloaded, DeadlineExceeded, Unavailable (closed), EngineError, EngineOutOfMemory.
        """
        if not blocks or not all(len(block) for block in blocks):
            raise InvalidRequest("a request to a network needs at least one item")
        now = time.monotonic()
        request = Request(slot, blocks, self._loop.create_future(), now, deadline, share, told)
        slot.acquire()
        timer = None
        try:
            self._admit(request, now)
            if deadline is not None:
                timer = self._loop.call_later(deadline - now, self._expire, request)
            return await request.future
        except asyncio.CancelledError:
            self._observer.on_drop("cancelled")
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if request.runs:
                with self._changed:
                    self._queue.discard(request)
                self._note_idle()
            slot.release()

    def stats(self) -> Stats:
        """A snapshot; cheap enough for every probe and scrape, from any thread."""
        with self._changed:
            return self._measures.stats(self._queue, time.monotonic())

    async def close(self, cancel: bool = False) -> None:
        """Refuses new work, computes accepted work, and stops the threads. With `cancel`, waiting work fails instead."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            waiting = self._queue.clear() if cancel else []
        for request in waiting:
            self._fail(request, Unavailable("the predictor is shutting down"), "closed")
        self._note_idle()
        await self._idle.wait()
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _admit(self, request: Request, now: float) -> None:
        with self._changed:
            if self._closing:
                self._observer.on_drop("closed")
                raise Unavailable("the predictor is shutting down")
            if request.expired(now):
                self._observer.on_drop("deadline")
                raise DeadlineExceeded("the deadline had passed when the request reached the predictor")
            waiting = self._queue.pixels.get(request.slot.name, 0)
            if waiting and waiting + request.pixels > self._limits.max_queue_pixels:
                self._observer.on_drop("overloaded")
                seconds = self._measures.throughput.seconds(self._queue.pixels, self._limits.workers)
                raise Overloaded(
                    f"the predictor's queue is full: {waiting} pixels wait, {request.pixels} more would be over the "
                    f"limit of {self._limits.max_queue_pixels}",
                    retry_after=min(60.0, max(0.1, seconds)) if seconds else 1.0,
                )
            self._queue.add(request)
            self._changed.notify()

    def _expire(self, request: Request) -> None:
        self._fail(request, DeadlineExceeded("the deadline passed before the answer was computed"), "deadline")

    def _fail(self, request: Request, error: PpocrError, reason: DropReason | None = None) -> None:
        if request.future.done():
            return
        request.future.set_exception(error)
        if reason is not None:
            self._observer.on_drop(reason)
        if request.runs:
            with self._changed:
                self._queue.discard(request)
        self._note_idle()

    def _note_idle(self) -> None:
        """Lets `close` continue when nothing waits and nothing is computed."""
        if not self._closing:
            return
        with self._changed:
            if not self._queue and not self._in_flight:
                self._idle.set()

    def _work(self, number: int) -> None:
        """A worker thread: takes batches until the scheduler stops."""
        gatherer = Gatherer()
        while (batch := self._next_batch()) is not None:
            slot = batch.key.slot
            began = time.monotonic()
            try:
                pixels = gatherer.gather(batch)
                with self._device:
                    began = self._measures.began[number] = time.monotonic()
                    results = outcomes(batch.network, pixels, partial(self._ran_out, slot))
            except Exception as error:
                log.exception("a batch could not be computed")
                failure = EngineError("the predictor failed on this batch")
                failure.__cause__ = error
                results = [Outcome(0, batch.items, failure)]
            seconds = time.monotonic() - began
            self._measures.began[number] = 0.0
            self._learn(batch, results, seconds)
            if not self._tell(self._deliver, batch, results, began, seconds):
                return

    def _next_batch(self) -> Batch | None:
        """Waits for work; None when the scheduler has stopped. The batch's slot has been acquired for the caller."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                due = self._queue.next_key(now)
                if due is None:
                    self._changed.wait()
                    continue
                key, arrived = due
                wait = arrived + self._limits.batch_wait - now
                if wait > 0 and not self._closing and not self._queue.fills(key):
                    self._changed.wait(wait)
                    continue
                batch, expired = self._queue.take(key, now)
                for request in expired:
                    self._tell(self._expire, request)
                if batch is not None:
                    if not self._in_flight and not self._queue:
                        batch = dataclasses.replace(batch, alone=True)
                    key.slot.acquire()
                    self._in_flight += 1
                    if self._queue:
                        self._changed.notify()
                    return batch
        return None

    def _tell(self, callback: Callable[..., None], *args: object) -> bool:
        """Calls back on the event loop; False if it was closed without closing the scheduler."""
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            return False
        return True

    def _ran_out(self, slot: Slot, pixels: int) -> None:
        with self._changed:
            self._budgets.ran_out(slot, pixels)

    def _learn(self, batch: Batch, results: list[Outcome], seconds: float) -> None:
        with self._changed:
            slot = batch.key.slot
            whole = len(results) == 1 and not isinstance(results[0].result, PpocrError)
            if whole:
                self._budgets.fitted(slot, batch.pixels)
            self._measures.add(slot.name, batch.items, batch.pixels, seconds if whole else None)

    def _deliver(self, batch: Batch, results: list[Outcome], began: float, seconds: float) -> None:
        """Hands the outcomes of a batch to the requests of its pieces."""
        batch.key.slot.release()
        self._observer.on_batch(batch.key.slot.name, batch.items, batch.pixels, began - batch.oldest, seconds)
        tell(batch, began, began + seconds)
        offset = 0
        for run, start, stop in batch.pieces:
            for outcome in results:
                low, high = max(outcome.start, offset), min(outcome.stop, offset + stop - start)
                if low >= high or run.request.future.done():
                    continue
                if isinstance(outcome.result, PpocrError):
                    self._fail(run.request, outcome.result)
                    continue
                outputs = tuple(array[low - outcome.start : high - outcome.start] for array in outcome.result)
                run.request.answer(run.index, start + low - offset, outputs)
            offset += stop - start
        with self._changed:
            self._in_flight -= 1
        self._note_idle()
