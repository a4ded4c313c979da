"""Messages are waited for as long as their clients like, and given up where what arrives is too much."""

from __future__ import annotations

import asyncio

import pytest

from ppocr_api.errors import Overloaded
from ppocr_limits.arrival_watch import CHECK_INTERVAL_SECONDS, ArrivalWatch
from ppocr_limits.budget import MIB, Budget
from ppocr_limits.memory import resident

pytestmark = pytest.mark.alone  # it measures times

LIMIT = 2048 * MIB


async def never() -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


async def waiting(watch: ArrivalWatch, count: int) -> list[asyncio.Task[bytes]]:
    tasks = [asyncio.create_task(watch.arrived(asyncio.ensure_future(never()))) for _ in range(count)]
    await asyncio.sleep(3 * CHECK_INTERVAL_SECONDS)
    return tasks


async def end(tasks: list[asyncio.Task[bytes]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_arrives_and_makes_the_process_grow_gives_up_all_that_wait() -> None:
    watch = ArrivalWatch(Budget(32 * MIB), limit=lambda: 100 << 40)
    tasks = await waiting(watch, 3)
    assert not any(task.done() for task in tasks)
    arrived = bytearray(b"x" * 100 * MIB)
    for task in tasks:
        with pytest.raises(Overloaded) as refused:
            await asyncio.wait_for(task, 5)
        assert refused.value.retry_after
    del arrived

    async def read() -> bytes:
        return b"x"

    assert await watch.arrived(asyncio.ensure_future(read())) == b"x"


async def test_near_the_limit_less_growth_is_enough() -> None:
    size = [LIMIT // 2]
    watch = ArrivalWatch(Budget(LIMIT), lambda: size[0], lambda: LIMIT)
    tasks = await waiting(watch, 2)
    size[0] = int(LIMIT * 0.9)
    for task in tasks:
        with pytest.raises(Overloaded):
            await asyncio.wait_for(task, 5)


async def test_a_process_that_was_large_before_gives_up_nothing() -> None:
    watch = ArrivalWatch(Budget(LIMIT), lambda: int(LIMIT * 0.9), lambda: LIMIT)
    tasks = await waiting(watch, 2)
    assert not any(task.done() for task in tasks)
    await end(tasks)


async def test_a_client_that_leaves_is_no_overload() -> None:
    watch = ArrivalWatch(Budget(LIMIT), resident, lambda: LIMIT)
    (task,) = await waiting(watch, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
