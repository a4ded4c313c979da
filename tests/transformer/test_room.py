"""Room in the predictor's queue is learnt from its refusals, and what has none waits before it is decoded."""

from __future__ import annotations

import asyncio

import pytest

from ppocr_api.errors import Overloaded
from transformer.room import Room

PAGE = 700_000


class Queue:
    """A predictor that takes `limit` pixels at a time."""

    def __init__(self, limit: int) -> None:
        self.limit, self.inside, self.refused, self.most = limit, 0, 0, 0

    async def run(self, pixels: int) -> None:
        if self.inside + pixels > self.limit:
            self.refused += 1
            raise Overloaded("the queue is full", 0.1)
        self.inside += pixels
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.inside -= pixels


async def read(room: Room, queue: Queue, share: int) -> int:
    """One page; how often it was refused."""
    refused = 0
    with await room.reserve(PAGE, share):
        while True:
            try:
                with room.sent(PAGE):
                    await queue.run(PAGE)
                return refused
            except Overloaded:
                refused += 1
                await asyncio.sleep(0.001)


async def test_nothing_waits_where_nothing_is_refused() -> None:
    room = Room()
    holds = [await room.reserve(PAGE, n) for n in range(1000)]
    assert room.limit == float("inf")
    for hold in holds:
        hold.release()


async def test_after_the_first_refusals_few_follow() -> None:
    room, queue = Room(), Queue(40 * PAGE)
    await asyncio.gather(*(read(room, queue, n) for n in range(128)))
    queue.refused = 0
    turn = asyncio.Semaphore(128)

    async def one(number: int) -> None:
        async with turn:
            await read(room, queue, number)

    await asyncio.gather(*(one(number) for number in range(2000)))
    assert queue.refused <= 2000 * 0.05
    assert 0.5 * queue.limit < room.limit < 1.3 * queue.limit
    assert queue.most > 0.8 * queue.limit


async def test_the_limit_follows_a_predictor_that_grew() -> None:
    room, queue = Room(), Queue(4 * PAGE)
    await asyncio.gather(*(read(room, queue, n) for n in range(32)))
    small = room.limit
    queue.limit = 16 * PAGE
    for _ in range(20):
        await asyncio.gather(*(read(room, queue, n) for n in range(32)))
    assert small < 8 * PAGE and room.limit > 10 * PAGE


async def test_a_page_goes_when_nothing_else_does() -> None:
    room, queue = Room(), Queue(PAGE)
    await asyncio.gather(*(read(room, queue, n) for n in range(8)))
    async with asyncio.timeout(5):
        (await room.reserve(100 * PAGE, "large")).release()


async def test_one_that_leaves_keeps_nobody_waiting() -> None:
    room = Room()
    with pytest.raises(Overloaded), room.sent(PAGE):
        raise Overloaded("full", 1.0)
    first = await room.reserve(PAGE, "a")
    waiting = [asyncio.create_task(room.reserve(PAGE, n)) for n in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    first.release()
    await asyncio.gather(waiting[0], return_exceptions=True)
    async with asyncio.timeout(5):
        for task in waiting[1:]:
            (await task).release()
