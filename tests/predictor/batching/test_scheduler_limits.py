"""Admission, deadlines, cancellation, closing: what the scheduler does not compute."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from ppocr_api.errors import DeadlineExceeded, Overloaded, Unavailable
from predictor.batching import Limits, Scheduler
from tests.predictor.batching.stand_ins import PATIENCE, Checksums, Held, Watcher, det, lines, rec, right, settle

pytestmark = pytest.mark.alone

LINE = 48 * 32


async def cancelled(task: asyncio.Task[object]) -> bool:
    task.cancel()
    return isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)


async def test_a_full_queue_refuses_a_request_as_a_whole_and_says_when_to_come_back() -> None:
    network, watcher = Held(), Watcher()
    scheduler = Scheduler(Limits(max_queue_pixels=4 * LINE), watcher)
    slot = rec(network)
    tasks = [asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))]
    await network.entered()
    tasks.append(asyncio.create_task(scheduler.submit(slot, [lines(3, 32)])))
    await settle()
    with pytest.raises(Overloaded, match=r"queue is full: 4608 pixels wait, 3072 more .* limit of 6144") as refusal:
        await scheduler.submit(slot, [lines(1, 32), lines(1, 32)])
    assert refusal.value.retry_after == 1.0
    assert scheduler.stats().queue_items == {"rec": 3}
    tasks.append(asyncio.create_task(scheduler.submit(slot, [lines(1, 32)])))
    await settle()
    assert scheduler.stats().queue_pixels == {"rec": 4 * LINE}
    network.let_go(5)
    await asyncio.gather(*tasks)
    assert watcher.drops == ["overloaded"]
    assert slot.users == 0
    await scheduler.close()


async def test_retry_after_is_what_waits_divided_by_the_measured_throughput() -> None:
    network = Held()
    scheduler = Scheduler(Limits(max_queue_pixels=LINE))
    slot = rec(network)
    measured = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await network.entered()
    began = time.monotonic()
    while time.monotonic() - began < 0.3:  # the forward takes this long: it is what is measured
        await settle()
    network.let_go()
    await measured
    tasks = [asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))]
    await network.entered()
    tasks.append(asyncio.create_task(scheduler.submit(slot, [lines(1, 32)])))
    await settle()
    with pytest.raises(Overloaded) as refusal:
        await scheduler.submit(slot, [lines(1, 32)])
    rate = scheduler.stats().pixels_per_second["rec"]
    assert LINE / rate >= 0.3
    assert refusal.value.retry_after == pytest.approx(LINE / rate)
    network.let_go(2)
    await asyncio.gather(*tasks)
    await scheduler.close()


async def test_a_request_larger_than_the_bound_is_accepted_by_an_empty_queue_alone() -> None:
    network = Held()
    scheduler = Scheduler(Limits(max_queue_pixels=LINE))
    slot = rec(network)
    first = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await network.entered()
    large = asyncio.create_task(scheduler.submit(slot, [lines(10, 32)]))
    await settle()
    with pytest.raises(Overloaded):
        await scheduler.submit(slot, [lines(10, 32)])
    network.let_go(2)
    await asyncio.gather(first, large)
    await scheduler.close()


async def test_waiting_detections_never_refuse_the_lines_of_a_begun_image() -> None:
    detection, recognition = Held(), Checksums()
    scheduler = Scheduler(Limits(max_queue_pixels=64 * 64, patience=60))
    image = np.zeros((1, 64, 64, 3), np.uint8)
    tasks = [asyncio.create_task(scheduler.submit(det(detection), [image]))]
    await detection.entered()
    tasks.append(asyncio.create_task(scheduler.submit(det(detection), [image])))
    await settle()
    with pytest.raises(Overloaded):
        await scheduler.submit(det(detection), [image])
    line = asyncio.create_task(scheduler.submit(rec(recognition), [lines(2, 32)]))
    await settle()
    detection.let_go(2)
    await asyncio.gather(line, *tasks)
    await scheduler.close()


async def test_a_request_past_its_deadline_is_never_computed() -> None:
    network, watcher = Held(), Watcher()
    scheduler = Scheduler(observer=watcher)
    slot = rec(network)
    with pytest.raises(DeadlineExceeded, match="reached the predictor"):
        await scheduler.submit(slot, [lines(1, 32)], deadline=time.monotonic())
    first = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await network.entered()
    with pytest.raises(DeadlineExceeded, match="before the answer"):
        await scheduler.submit(slot, [lines(1, 64)], deadline=time.monotonic() + 0.05)
    assert scheduler.stats().queue_pixels["rec"] == 0
    network.let_go()
    await first
    await scheduler.close()
    assert network.shapes == [(1, 48, 32, 3)]
    assert watcher.drops == ["deadline", "deadline"]
    assert slot.users == 0


async def test_a_deadline_that_passes_while_the_loop_is_busy_is_seen_when_the_batch_is_made() -> None:
    network, watcher = Held(), Watcher()
    scheduler = Scheduler(observer=watcher)
    slot = rec(network)
    first = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await network.entered()
    deadline = time.monotonic() + 0.05
    late = asyncio.create_task(scheduler.submit(slot, [lines(1, 64)], deadline=deadline))
    mate = asyncio.create_task(scheduler.submit(slot, [lines(2, 64)]))
    await settle()
    while time.monotonic() < deadline:
        pass  # the loop is kept from its timers
    network.let_go(2)
    while len(network.shapes) < 2:
        assert time.monotonic() < deadline + PATIENCE, "the second batch never came"
    with pytest.raises(DeadlineExceeded):
        await late
    await asyncio.gather(first, mate)
    assert network.shapes == [(1, 48, 32, 3), (2, 48, 64, 3)]
    assert watcher.drops == ["deadline"]
    await scheduler.close()


async def test_a_cancelled_request_is_not_computed_and_its_neighbours_are() -> None:
    network, watcher = Held(), Watcher()
    scheduler = Scheduler(observer=watcher)
    slot = rec(network)
    first = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await network.entered()
    block = lines(2, 64, 2)
    gone = asyncio.create_task(scheduler.submit(slot, [lines(1, 64, 1), lines(5, 96)]))
    mate = asyncio.create_task(scheduler.submit(slot, [block]))
    await settle()
    assert await cancelled(gone)
    assert scheduler.stats().queue_items["rec"] == 2
    network.let_go(2)
    assert right(await mate, block)
    await first
    await scheduler.close()
    assert network.shapes == [(1, 48, 32, 3), (2, 48, 64, 3)]
    assert watcher.drops == ["cancelled"]


async def test_a_slot_is_held_until_the_batch_of_a_cancelled_request_is_computed() -> None:
    network = Held()
    scheduler = Scheduler()
    slot = rec(network)
    drained = asyncio.Event()
    task = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await network.entered()
    assert slot.users == 2
    assert await cancelled(task)
    slot.retire(drained.set)
    assert slot.users == 1
    assert not drained.is_set()
    network.let_go()
    await drained.wait()
    assert slot.users == 0
    await scheduler.close()


async def test_closing_computes_what_was_accepted_and_refuses_what_comes() -> None:
    network, watcher = Held(), Watcher()
    scheduler = Scheduler(observer=watcher)
    slot = rec(network)
    blocks = [lines(2, width) for width in (32, 64, 96)]
    tasks = [asyncio.create_task(scheduler.submit(slot, [block])) for block in blocks]
    await network.entered()
    closing = asyncio.create_task(scheduler.close())
    await settle()
    with pytest.raises(Unavailable, match="shutting down"):
        await scheduler.submit(slot, [lines(1, 32)])
    network.let_go(3)
    answers = await asyncio.gather(*tasks)
    assert all(right(answer, block) for answer, block in zip(answers, blocks, strict=True))
    await closing
    assert watcher.drops == ["closed"]


async def test_closing_at_once_fails_what_waits_and_finishes_what_computes() -> None:
    network, watcher = Held(), Watcher()
    scheduler = Scheduler(observer=watcher)
    slot = rec(network)
    computing = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await network.entered()
    waiting = asyncio.create_task(scheduler.submit(slot, [lines(1, 64)]))
    await settle()
    closing = asyncio.create_task(scheduler.close(cancel=True))
    with pytest.raises(Unavailable, match="shutting down"):
        await waiting
    network.let_go()
    await asyncio.gather(computing, closing)
    assert network.shapes == [(1, 48, 32, 3)]
    assert watcher.drops == ["closed"]


async def test_a_forward_that_hangs_is_seen_by_its_growing_age() -> None:
    network = Held()
    scheduler = Scheduler()
    assert scheduler.stats().running_seconds == 0.0
    task = asyncio.create_task(scheduler.submit(rec(network), [lines(1, 32)]))
    await network.entered()
    waiting = asyncio.create_task(scheduler.submit(rec(network), [lines(1, 32)]))
    await settle()
    before, after = scheduler.stats(), scheduler.stats()
    assert after.running == 1
    assert after.running_seconds > before.running_seconds > 0
    assert after.oldest_seconds > before.oldest_seconds > 0
    network.let_go(2)
    await asyncio.gather(task, waiting)
    await scheduler.close()
    assert scheduler.stats().running == 0
    assert scheduler.stats().oldest_seconds == 0.0
