"""Small networks that the scheduler's tests can watch, hold, and make fail. What they compute is a checksum an item."""

from __future__ import annotations

import asyncio
import threading
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ppocr_api.errors import EngineError, EngineOutOfMemory
from predictor.batching import DropReason, NetworkSlot, Outputs

if TYPE_CHECKING:
    from ppocr.contract import U8

PATIENCE = 20.0
POISON = 255


def checksums(items: U8) -> NDArray[np.int64]:
    return np.array([zlib.crc32(item.tobytes()) for item in items], np.int64)


class Checksums:
    """Answers the CRC of each item, and the row of its first pixels. Keeps the shapes of its batches."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.threads: set[str] = set()
        self.closed = False

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        self.shapes.append(pixels.shape)
        self.threads.add(threading.current_thread().name)
        return checksums(pixels), pixels[:, 0, ::8, 0].copy()

    def close(self) -> None:
        self.closed = True


class Held(Checksums):
    """Computes a batch only when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self._entered = threading.Semaphore(0)
        self._leave = threading.Semaphore(0)

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        self._entered.release()
        if not self._leave.acquire(timeout=PATIENCE):
            raise AssertionError("the test never let the network go on")
        return super().infer(pixels)

    async def entered(self) -> None:
        """Returns when one more batch has reached the network."""
        assert await asyncio.to_thread(self._entered.acquire, timeout=PATIENCE), "no batch reached the network"

    def let_go(self, batches: int = 1) -> None:
        self._leave.release(batches)


class Poisoned(Checksums):
    """Fails on every batch that holds an item whose first byte is POISON."""

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        outputs = super().infer(pixels)
        if (pixels[:, 0, 0, 0] == POISON).any():
            raise EngineError("the network met an item that it can't compute")
        return outputs


class Small(Checksums):
    """Has memory for so many pixels alone."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.memory = pixels

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        outputs = super().infer(pixels)
        if pixels.size // 3 > self.memory:
            raise EngineOutOfMemory("the device has no memory for this batch")
        return outputs


class Watcher:
    """An observer that keeps its events."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, int, int]] = []
        self.drops: list[DropReason] = []

    def on_batch(self, network: str, items: int, pixels: int, seconds_queue: float, seconds_infer: float) -> None:
        assert seconds_queue >= 0
        assert seconds_infer >= 0
        self.batches.append((network, items, pixels))

    def on_drop(self, reason: DropReason) -> None:
        self.drops.append(reason)


def lines(count: int, width: int, seed: int = 0, first: int | None = None) -> U8:
    """A block of `count` random lines, 48 pixels high; `first` sets the first byte of each."""
    block = np.random.default_rng(seed).integers(0, POISON, (count, 48, width, 3), np.uint8)
    if first is not None:
        block[:, 0, 0, 0] = first
    return block


def rec(network: Checksums, batch_pixels: int = 48 * 32 * 1000, version: str = "1") -> NetworkSlot:
    return NetworkSlot("rec", 1, version, network, batch_pixels, batch_items=1000)


def det(network: Checksums, batch_pixels: int = 960 * 960) -> NetworkSlot:
    return NetworkSlot("det", 0, "1", network, batch_pixels)


def right(answer: list[Outputs], *blocks: U8) -> bool:
    """Whether `answer` is what Checksums says of `blocks`."""
    return len(answer) == len(blocks) and all(
        np.array_equal(crc, checksums(block)) and np.array_equal(row, block[:, 0, ::8, 0])
        for (crc, row), block in zip(answer, blocks, strict=True)
    )


async def settle() -> None:
    """Lets the tasks that were just created run to their first wait."""
    await asyncio.sleep(0)
