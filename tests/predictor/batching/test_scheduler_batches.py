"""What goes into a batch, and in which order batches are computed."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ppocr_api.errors import InvalidRequest
from predictor.batching import Limits, NetworkSlot, Scheduler
from tests.predictor.batching.stand_ins import PATIENCE, Checksums, Held, det, lines, rec, right, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8


async def test_a_request_of_many_sizes_is_answered_in_its_order() -> None:
    scheduler = Scheduler()
    blocks = [lines(3, 64, 1), lines(1, 320, 2), lines(2, 32, 3), lines(4, 64, 4)]
    assert right(await scheduler.submit(rec(Checksums()), blocks), *blocks)
    await scheduler.close()


async def test_lines_of_one_width_share_a_batch_across_requests_and_no_others_do() -> None:
    scheduler, network = Scheduler(), Held()
    slot = rec(network)
    first = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await network.entered()
    asked = [[lines(2, 64, 1), lines(1, 96, 2)], [lines(3, 96, 3)], [lines(1, 64, 4)], [lines(1, 128, 5)]]
    tasks = [asyncio.create_task(scheduler.submit(slot, blocks)) for blocks in asked]
    await settle()
    network.let_go(10)
    answers = await asyncio.gather(*tasks)
    await first
    assert all(right(answer, *blocks) for answer, blocks in zip(answers, asked, strict=True))
    assert network.shapes == [(1, 48, 32, 3), (3, 48, 64, 3), (4, 48, 96, 3), (1, 48, 128, 3)]
    await scheduler.close()


async def test_networks_of_two_versions_never_share_a_batch() -> None:
    scheduler, old, new = Scheduler(), Held(), Checksums()
    slots = [rec(old, version="1"), rec(new, version="2")]
    first = asyncio.create_task(scheduler.submit(slots[0], [lines(1, 32)]))
    await old.entered()
    tasks = [asyncio.create_task(scheduler.submit(slots[i % 2], [lines(1, 32, i)])) for i in range(6)]
    await settle()
    old.let_go(10)
    await asyncio.gather(first, *tasks)
    assert old.shapes == [(1, 48, 32, 3), (3, 48, 32, 3)]
    assert new.shapes == [(3, 48, 32, 3)]
    await scheduler.close()


async def test_a_batch_is_bounded_in_pixels_and_in_items_and_a_larger_item_still_runs() -> None:
    network = Checksums()
    slot = NetworkSlot("rec", 1, "1", network, batch_pixels=48 * 64 * 5, batch_items=7)
    scheduler = Scheduler()
    blocks = [lines(12, 64), lines(16, 32), lines(2, 640)]
    assert right(await scheduler.submit(slot, blocks), *blocks)
    assert [shape[0] for shape in network.shapes] == [1, 1, 5, 5, 2, 7, 7, 2]
    await scheduler.close()


async def test_the_largest_batches_of_a_request_are_computed_first() -> None:
    network = Checksums()
    scheduler = Scheduler()
    blocks = [lines(1, 32), lines(3, 64), lines(1, 96), lines(1, 320)]
    assert right(await scheduler.submit(rec(network), blocks), *blocks)
    assert [shape[2] for shape in network.shapes] == [320, 64, 96, 32]
    await scheduler.close()


async def test_a_forward_that_nothing_runs_beside_is_given_all_threads() -> None:
    among, alone = Held(), Checksums()
    slot = NetworkSlot("det", 0, "1", among, 960 * 960, alone=alone)
    scheduler = Scheduler(Limits(workers=2))
    blocks = [lines(1, 64), lines(1, 96), lines(1, 128), lines(1, 160)]
    assert right(await scheduler.submit(slot, blocks[:1]), blocks[0])
    assert right(await scheduler.submit(slot, blocks[1:2]), blocks[1])
    assert [shape[2] for shape in alone.shapes] == [64, 96]
    both = asyncio.create_task(scheduler.submit(slot, blocks[2:]))
    for _ in range(2):
        await among.entered()
    among.let_go(2)
    assert right(await both, *blocks[2:])
    # The first was taken while the second waited, and the second while the first was computed.
    assert sorted(shape[2] for shape in among.shapes) == [128, 160]
    assert right(await scheduler.submit(slot, blocks[:1]), blocks[0])
    assert len(alone.shapes) == 3
    await scheduler.close()


async def test_batches_have_powers_of_two_where_the_limits_say_so() -> None:
    network = Checksums()
    slot = NetworkSlot("rec", 1, "1", network, batch_pixels=48 * 32 * 12, batch_items=64)
    scheduler = Scheduler(Limits(powers_of_two=True))
    blocks = [lines(23, 32), lines(7, 64)]
    assert right(await scheduler.submit(slot, blocks), *blocks)
    assert [shape[0] for shape in network.shapes] == [8, 8, 4, 2, 1, 4, 2, 1]
    await scheduler.close()


async def test_the_request_that_came_first_is_served_first() -> None:
    scheduler, network = Scheduler(), Held()
    slot = rec(network)
    widths = [32, 96, 64, 320, 128]
    tasks = [asyncio.create_task(scheduler.submit(slot, [lines(1, width)])) for width in widths]
    await network.entered()
    network.let_go(10)
    await asyncio.gather(*tasks)
    assert [shape[2] for shape in network.shapes] == widths
    await scheduler.close()


async def test_lines_go_before_detections_that_wait() -> None:
    scheduler, detection, recognition = Scheduler(Limits(patience=60)), Held(), Checksums()
    first = asyncio.create_task(scheduler.submit(det(detection), [np.zeros((1, 64, 64, 3), np.uint8)]))
    await detection.entered()
    second = asyncio.create_task(scheduler.submit(det(detection), [np.zeros((1, 96, 96, 3), np.uint8)]))
    await settle()
    line = asyncio.create_task(scheduler.submit(rec(recognition), [lines(1, 32)]))
    await settle()
    detection.let_go()
    await line
    await detection.entered()
    assert not second.done()
    detection.let_go()
    await asyncio.gather(first, second)
    await scheduler.close()


async def test_lines_pass_over_a_detection_only_as_long_as_its_patience_lasts() -> None:
    scheduler, recognition, detection = Scheduler(Limits(patience=0.0)), Held(), Checksums()
    slot = rec(recognition)
    first = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await recognition.entered()
    second = asyncio.create_task(scheduler.submit(slot, [lines(1, 64)]))
    waiting = asyncio.create_task(scheduler.submit(det(detection), [np.zeros((1, 64, 64, 3), np.uint8)]))
    await settle()
    recognition.let_go()
    await waiting
    assert not second.done()
    recognition.let_go()
    await asyncio.gather(first, second)
    await scheduler.close()


async def test_items_of_one_run_are_not_copied_and_threads_are_the_schedulers_own() -> None:
    seen: list[bool] = []
    block = lines(4, 64)

    class Looking(Checksums):
        def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
            seen.append(np.shares_memory(pixels, block))
            return super().infer(pixels)

    network = Looking()
    scheduler = Scheduler()
    await scheduler.submit(rec(network), [block])
    assert seen == [True]
    assert network.threads == {"forward-0"}
    await scheduler.close()
    for thread in [thread for thread in threading.enumerate() if thread.name.startswith("forward-")]:
        await asyncio.to_thread(thread.join, PATIENCE)
        assert not thread.is_alive()


async def test_with_prefetch_the_next_batch_is_taken_while_one_computes_but_not_computed() -> None:
    scheduler, network = Scheduler(Limits(prefetch=True)), Held()
    slot = rec(network)
    tasks = [asyncio.create_task(scheduler.submit(slot, [lines(1, width)])) for width in (32, 64, 96)]
    await network.entered()
    async with asyncio.timeout(PATIENCE):
        while scheduler.stats().queue_items["rec"] > 1:
            await settle()
    assert scheduler.stats().running == 1
    network.let_go(3)
    await asyncio.gather(*tasks)
    assert [shape[2] for shape in network.shapes] == [32, 64, 96]
    await scheduler.close()


async def test_a_batch_that_is_not_full_waits_for_company_where_it_shall() -> None:
    network = Checksums()
    scheduler = Scheduler(Limits(batch_wait=30))
    slot = rec(network, batch_pixels=48 * 32 * 3)
    tasks = [asyncio.create_task(scheduler.submit(slot, [lines(1, 32, i)])) for i in range(3)]
    await asyncio.gather(*tasks)
    lonely = asyncio.create_task(scheduler.submit(slot, [lines(1, 32)]))
    await settle()
    await scheduler.close()
    await lonely
    assert [shape[0] for shape in network.shapes] == [3, 1]


async def test_a_request_without_items_is_refused() -> None:
    scheduler = Scheduler()
    for blocks in ([], [lines(1, 32), lines(0, 32)]):
        with pytest.raises(InvalidRequest, match="at least one item"):
            await scheduler.submit(rec(Checksums()), blocks)
    await scheduler.close()
