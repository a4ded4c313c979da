"""Which network's batch is next: what is further along the pipeline, and nothing waits for ever."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from ppocr_api.errors import Overloaded
from predictor.batching import Limits, NetworkSlot, Scheduler
from predictor.batching.queue import WaitingQueue
from predictor.batching.requests import Request
from tests.predictor.batching.stand_ins import Held, Watcher, rec, settle

NAMES = ("page_orientation", "det", "line_orientation", "rec")
ITEM = np.zeros((1, 32, 32, 3), np.uint8)
LOTS = 1_000_000


def slots(network: Held, names: tuple[str, ...] = NAMES, version: str = "1") -> dict[str, NetworkSlot]:
    return {name: NetworkSlot(name, place, version, network, LOTS) for place, name in enumerate(names)}


class Timeline:
    """A queue without threads, whose clock the test sets."""

    def __init__(self, patience: float) -> None:
        self.queue = WaitingQueue(lambda slot: slot.batch_pixels, patience)
        self._loop = asyncio.get_running_loop()

    def arrives(self, slot: NetworkSlot, now: float) -> None:
        self.queue.add(Request(slot, [ITEM], self._loop.create_future(), now, None))

    def next(self, now: float) -> tuple[str, str]:
        """Takes a batch; its network and version."""
        due = self.queue.next_key(now)
        assert due is not None
        batch, _ = self.queue.take(due[0], now)
        assert batch is not None
        return batch.key.slot.name, batch.key.slot.version


async def test_what_is_furthest_along_goes_first_whatever_came_first() -> None:
    time, of = Timeline(patience=60), slots(Held())
    for now, name in enumerate(NAMES):
        time.arrives(of[name], now)
    assert [time.next(5)[0] for _ in NAMES] == list(reversed(NAMES))
    assert not time.queue


async def test_the_one_passed_over_longest_goes_first_once_its_patience_is_over() -> None:
    time, of = Timeline(patience=1.0), slots(Held())
    time.arrives(of["line_orientation"], 0.0)
    time.arrives(of["page_orientation"], 0.1)
    order = []
    for now in (0.9, 1.05, 1.15):
        time.arrives(of["rec"], now)
        order.append(time.next(now)[0])
    assert order == ["rec", "line_orientation", "page_orientation"]


async def test_a_network_that_was_served_begins_to_wait_again() -> None:
    time, of = Timeline(patience=1.0), slots(Held())
    order = []
    for tenth in range(31):
        now = tenth / 10
        time.arrives(of["rec"], now)
        # Of an own version each, so that they are no batch together.
        time.arrives(NetworkSlot("det", 1, str(tenth), Held(), LOTS), now)
        order.append(time.next(now)[0])
    assert [place for place, name in enumerate(order) if name == "det"] == [10, 20, 30]


async def test_with_patience_0_everything_gets_its_turn() -> None:
    time, of = Timeline(patience=0.0), slots(Held())
    for name in NAMES:
        time.arrives(of[name], 0.0)
    assert [time.next(1.0)[0] for _ in NAMES] == ["line_orientation", "det", "page_orientation", "rec"]


async def test_versions_with_different_lists_wait_side_by_side() -> None:
    time = Timeline(patience=60)
    old, new = slots(Held(), ("det", "rec"), "1"), slots(Held(), NAMES, "2")
    for slot in (*old.values(), *new.values()):
        time.arrives(slot, 0.0)
    assert time.queue.items == {"det": 2, "rec": 2, "page_orientation": 1, "line_orientation": 1}
    order = [time.next(0.5) for _ in range(6)]
    for version, names in (("1", ("rec", "det")), ("2", tuple(reversed(NAMES)))):
        assert tuple(name for name, of in order if of == version) == names
    assert set(time.queue.items.values()) == set(time.queue.pixels.values()) == {0}


async def test_each_network_has_its_own_bound_and_its_own_numbers() -> None:
    network, watcher = Held(), Watcher()
    of = slots(network)
    scheduler = Scheduler(Limits(max_queue_pixels=32 * 32), watcher)
    first = asyncio.create_task(scheduler.submit(rec(network), [ITEM]))
    await network.entered()
    tasks = [asyncio.create_task(scheduler.submit(of[name], [ITEM])) for name in NAMES]
    await settle()
    for name in NAMES:
        with pytest.raises(Overloaded):
            await scheduler.submit(of[name], [ITEM])
    assert scheduler.stats().queue_items == dict.fromkeys(NAMES, 1)
    network.let_go(5)
    await asyncio.gather(first, *tasks)
    await scheduler.close()
    assert sorted(name for name, _, _ in watcher.batches) == sorted((*NAMES, "rec"))
    assert set(scheduler.stats().pixels_per_second) == set(NAMES)
    assert all(rate > 0 for rate in scheduler.stats().pixels_per_second.values())
