"""Streams wait for their clients as long as they like, and end where what arrives on them is too much."""

from __future__ import annotations

import asyncio

import pytest

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import MIB, Budget
from ppocr_limits.memory import resident
from ppocr_limits.stream_messages import LOOK_SECONDS, StreamMessages

LIMIT = 2048 * MIB


async def never() -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


async def waiting(messages: StreamMessages, count: int) -> list[asyncio.Task[bytes]]:
    tasks = [asyncio.create_task(messages.message(never)) for _ in range(count)]
    await asyncio.sleep(3 * LOOK_SECONDS)
    return tasks


async def end(tasks: list[asyncio.Task[bytes]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_arrives_and_makes_the_process_grow_ends_all_that_wait() -> None:
    messages = StreamMessages(Budget(32 * MIB), limit=lambda: 100 << 40)
    tasks = await waiting(messages, 3)
    assert not any(task.done() for task in tasks)
    arrived = bytearray(b"x" * 64 * MIB)
    for task in tasks:
        with pytest.raises(Overloaded) as refused:
            await asyncio.wait_for(task, 5)
        assert refused.value.retry_after
    del arrived

    async def read() -> bytes:
        return b"x"

    assert await messages.message(read) == b"x"


async def test_near_the_limit_less_growth_is_enough() -> None:
    size = [LIMIT // 2]
    messages = StreamMessages(Budget(LIMIT), lambda: size[0], lambda: LIMIT)
    tasks = await waiting(messages, 2)
    size[0] = int(LIMIT * 0.9)
    for task in tasks:
        with pytest.raises(Overloaded):
            await asyncio.wait_for(task, 5)


async def test_a_process_that_was_large_before_ends_no_stream() -> None:
    messages = StreamMessages(Budget(LIMIT), lambda: int(LIMIT * 0.9), lambda: LIMIT)
    tasks = await waiting(messages, 2)
    assert not any(task.done() for task in tasks)
    await end(tasks)


async def test_a_client_that_leaves_is_no_overload() -> None:
    messages = StreamMessages(Budget(LIMIT), resident, lambda: LIMIT)
    (task,) = await waiting(messages, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
