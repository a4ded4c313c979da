"""Measurements of the running scheduler: the batch size that fits into memory, and the speed of each network."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from predictor.batching.slots import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A batch that fits lets the budget grow by this factor: 20 good batches undo one halving.
RECOVERY = 1.035
#: The factor by which the weight of earlier batches in the moving average shrinks with each new batch.
MEMORY = 0.95


class Budgets:
    """The pixels that a batch of each network may have: its `batch_pixels`, or less after it ran out of memory.

    There is one budget per network, not per size: the memory of a forward pass grows with its pixels, so a batch that was too
    large with lines of one width is too large with lines of another.
    """

    def __init__(self) -> None:
        self._shrunk: WeakKeyDictionary[Slot, float] = WeakKeyDictionary()

    def pixels(self, slot: Slot) -> int:
        return int(self._shrunk.get(slot, slot.batch_pixels))

    def ran_out(self, slot: Slot, pixels: int) -> None:
        """A batch of `pixels` was too large."""
        self._shrunk[slot] = min(self._shrunk.get(slot, slot.batch_pixels), pixels) / 2

    def fitted(self, slot: Slot, pixels: int) -> None:
        """A batch of `pixels` went well. One much smaller than the budget says nothing about what would fit."""
        shrunk = self._shrunk.get(slot)
        if shrunk is None or pixels < shrunk / 2:
            return
        if shrunk * RECOVERY >= slot.batch_pixels:
            del self._shrunk[slot]
        else:
            self._shrunk[slot] = shrunk * RECOVERY


class Throughput:
    """Pixels per second of each network by its name, as a moving average over batches, weighted by their time."""

    def __init__(self) -> None:
        self._pixels: dict[str, float] = {}
        self._seconds: dict[str, float] = {}

    def add(self, name: str, pixels: int, seconds: float) -> None:
        self._pixels[name] = self._pixels.get(name, 0.0) * MEMORY + pixels
        self._seconds[name] = self._seconds.get(name, 0.0) * MEMORY + seconds

    def rate(self, name: str) -> float:
        """Pixels per second, 0 if nothing was measured yet."""
        seconds = self._seconds.get(name, 0.0)
        return self._pixels[name] / seconds if seconds else 0.0

    def seconds(self, pixels: Mapping[str, int], workers: int) -> float:
        """How long `workers` will take for the `pixels` of each network, as far as their rates are known."""
        return sum(count / rate for name, count in pixels.items() if (rate := self.rate(name))) / workers
