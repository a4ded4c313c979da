"""The scheduler's counts and measurements since its start. Not thread-safe: its owner holds a lock."""

from __future__ import annotations

from predictor.batching.budgets import Throughput
from predictor.batching.observer import Stats
from predictor.batching.queue import WaitingQueue


class Measures:
    """Counts of what was computed, how fast it was, and what `threads` threads are computing now."""

    def __init__(self, threads: int) -> None:
        self.throughput = Throughput()
        #: When each thread's forward pass began, 0 if none runs. Only the thread itself writes it.
        self.began = [0.0] * threads
        self._batches = self._items = self._pixels = 0

    def add(self, name: str, items: int, pixels: int, seconds: float | None) -> None:
        """A batch of the network `name` was computed, in `seconds` if it went through at the first attempt."""
        self._batches += 1
        self._items += items
        self._pixels += pixels
        if seconds is not None:
            self.throughput.add(name, pixels, seconds)

    def stats(self, queue: WaitingQueue, now: float) -> Stats:
        """A snapshot, with the state of `queue`."""
        oldest = queue.oldest()
        running = [now - began for began in self.began if began]
        return Stats(
            queue_items=dict(queue.items),
            queue_pixels=dict(queue.pixels),
            oldest_seconds=0.0 if oldest is None else now - oldest,
            running=len(running),
            running_seconds=max(running, default=0.0),
            batches=self._batches,
            items=self._items,
            pixels=self._pixels,
            pixels_per_second={name: self.throughput.rate(name) for name in queue.items},
        )
