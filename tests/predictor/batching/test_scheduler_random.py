"""Thousands of requests of random sizes, a third of which leave early: every answer belongs to its asker."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from predictor.batching import Limits, NetworkSlot, Outputs, Scheduler
from tests.predictor.batching.stand_ins import Checksums, Watcher, det, lines, rec, right

if TYPE_CHECKING:
    from ppocr.contract import U8

REQUESTS = 2000
WIDTHS = range(32, 257, 32)


class Leaving(Watcher):
    """With every batch that is computed, some of those that mean to leave do so."""

    def __init__(self) -> None:
        super().__init__()
        self.leaving: list[asyncio.Task[list[Outputs]]] = []

    def on_batch(self, network: str, items: int, pixels: int, seconds_queue: float, seconds_infer: float) -> None:
        super().on_batch(network, items, pixels, seconds_queue, seconds_infer)
        for _ in range(min(5, len(self.leaving))):
            self.leaving.pop().cancel()


def request(dice: random.Random, slots: list[NetworkSlot]) -> tuple[NetworkSlot, list[U8]]:
    slot = dice.choice(slots)
    seed = dice.getrandbits(32)
    if slot.name == "det":
        return slot, [np.random.default_rng(seed).integers(0, 255, (1, dice.choice((32, 64)), 64, 3), np.uint8)]
    widths = dice.choices(WIDTHS, k=dice.randint(1, 6))
    return slot, [lines(widths.count(width), width, seed + width) for width in sorted(set(widths))]


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("workers", [1, 3])
async def test_no_answer_goes_astray_while_requests_are_cancelled(workers: int, prefetch: bool) -> None:
    dice = random.Random(workers)
    watcher = Leaving()
    scheduler = Scheduler(Limits(workers=workers, prefetch=prefetch, max_queue_pixels=10**12, patience=0.01), watcher)
    # The second version has a network before those of the first, and so its lines a place of their own.
    later = NetworkSlot("rec", 2, "2", Checksums(), 48 * 32 * 30, batch_items=1000)
    new = NetworkSlot("cls", 1, "2", Checksums(), 48 * 32 * 10)
    slots = [rec(Checksums(), 48 * 32 * 20, "1"), later, det(Checksums(), 64 * 64 * 3), new]
    requests = [request(dice, slots) for _ in range(REQUESTS)]
    tasks = [asyncio.create_task(scheduler.submit(slot, blocks)) for slot, blocks in requests]
    watcher.leaving = dice.sample(tasks, REQUESTS * 3 // 10)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    left = 0
    for answer, (_, blocks) in zip(answers, requests, strict=True):
        if isinstance(answer, asyncio.CancelledError):
            left += 1
        else:
            assert isinstance(answer, list)
            assert right(answer, *blocks)
    assert left > REQUESTS * 0.15
    stats = scheduler.stats()
    assert (set(stats.queue_items.values()), set(stats.queue_pixels.values())) == ({0}, {0})
    await scheduler.close()
    assert [slot.users for slot in slots] == [0, 0, 0, 0]
    assert watcher.drops == ["cancelled"] * left
    assert sum(items for _, items, _ in watcher.batches) == scheduler.stats().items
