"""What one share sends in bulk doesn't keep the others waiting, in one network and between two."""

from __future__ import annotations

import asyncio

import numpy as np

from predictor.batching import NetworkSlot, Scheduler
from predictor.batching.queue import USUAL_RATE, WaitingQueue
from predictor.batching.requests import Request
from tests.predictor.batching.stand_ins import Held, Watcher

#: A second of work, about, at the rate that is taken for a network before it was measured.
SIDE = 3200
BULK = np.zeros((1, SIDE, SIDE, 3), np.uint8)
SMALL = np.zeros((1, 32, 32, 3), np.uint8)
assert 0.9 < SIDE * SIDE / USUAL_RATE < 1.1


class Timeline:
    """A queue without threads, one item a batch."""

    def __init__(self) -> None:
        self.queue = WaitingQueue(lambda slot: slot.batch_pixels, patience=60)
        self._loop = asyncio.get_running_loop()
        network = Held()
        self.det = NetworkSlot("det", 0, "1", network, 1, batch_items=1)
        self.rec = NetworkSlot("rec", 1, "1", network, 1, batch_items=1)
        self._now = 0.0

    def arrives(self, slot: NetworkSlot, block: np.ndarray, share: str) -> None:
        self._now += 0.001
        self.queue.add(Request(slot, [block], self._loop.create_future(), self._now, None, share))

    def next(self) -> str:
        """The share and the network of the next batch."""
        due = self.queue.next_key(self._now)
        assert due is not None
        batch, _ = self.queue.take(due[0], self._now)
        assert batch is not None
        (piece,) = batch.pieces
        return f"{piece.run.request.share} {batch.key.slot.name}"


async def test_small_requests_go_before_the_rest_of_a_bulk() -> None:
    time = Timeline()
    for _ in range(32):
        time.arrives(time.det, BULK, "bulk")
    assert [time.next() for _ in range(2)] == ["bulk det"] * 2
    time.arrives(time.det, SMALL, "a")
    time.arrives(time.det, SMALL, "b")
    # What the bulk had while nobody else asked doesn't count; with one item more it is ahead.
    assert [time.next() for _ in range(4)] == ["bulk det", "a det", "b det", "bulk det"]


async def test_between_networks_too() -> None:
    """Lines go before pages; but not those of a share that had much more, before the pages of the others."""
    time = Timeline()
    time.arrives(time.rec, BULK, "bulk")
    assert time.next() == "bulk rec"
    for _ in range(2):
        time.arrives(time.rec, BULK, "bulk")
    time.arrives(time.det, SMALL, "a")
    assert [time.next() for _ in range(3)] == ["bulk rec", "a det", "bulk rec"]


async def test_ordinary_requests_keep_their_order() -> None:
    time = Timeline()
    for share in "abcd":
        time.arrives(time.det, SMALL, share)
    time.arrives(time.rec, SMALL, "e")
    assert [time.next() for _ in range(5)] == ["e rec", "a det", "b det", "c det", "d det"]


async def test_items_of_one_size_share_a_batch_whoever_has_the_turn() -> None:
    """The one whose turn it is begins the batch, and what else there is of that size fills it."""
    network, watcher = Held(), Watcher()
    slot = NetworkSlot("rec", 1, "1", network, 10**9, batch_items=4)
    scheduler = Scheduler(observer=watcher)
    first = asyncio.create_task(scheduler.submit(slot, [SMALL], share="bulk"))
    await network.entered()
    bulk = [asyncio.create_task(scheduler.submit(slot, [SMALL], share="bulk")) for _ in range(5)]
    await asyncio.sleep(0)
    small = asyncio.create_task(scheduler.submit(slot, [SMALL], share="small"))
    await asyncio.sleep(0)
    network.let_go(3)
    await asyncio.gather(first, small, *bulk)
    await scheduler.close()
    assert [items for _, items, _ in watcher.batches] == [1, 4, 2]


async def test_bulk_is_computed_in_smaller_batches_while_it_has_neighbours() -> None:
    """Eight lines a batch; four while another share had one within the last second."""
    queue = WaitingQueue(lambda slot: slot.batch_pixels, patience=60, powers_of_two=True)
    rec = NetworkSlot("rec", 1, "1", Held(), 8 * SMALL.size // 3, batch_items=64)
    lines = np.concatenate([SMALL] * 8)

    def arrives(share: str, now: float, block: np.ndarray) -> None:
        queue.add(Request(rec, [block], asyncio.get_running_loop().create_future(), now, None, share))

    def batch(now: float) -> tuple[object, int]:
        due = queue.next_key(now)
        assert due is not None
        taken, _ = queue.take(due[0], now)
        assert taken is not None
        return taken.pieces[0].run.request.share, taken.items

    for share in "abcdef":  # pages, one request each
        arrives(share, 0.0, lines)
    assert [batch(0.1) for _ in "abcdef"] == [(share, 8) for share in "abcdef"]
    for _ in range(8):
        arrives("bulk", 0.2, lines)
    assert batch(0.3) == ("bulk", 4)
    assert batch(3.0)[1] == 8, "the others have gone"
    arrives("a", 3.0, lines)
    sizes = {batch(3.1) for _ in range(4)}
    assert sizes == {("bulk", 8)}, "nobody had a batch yet but bulk itself"
