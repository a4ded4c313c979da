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
                async with room.sent(PAGE):
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


async def test_further_parts_of_pages_are_seldom_refused_and_go_first() -> None:
    """Pages of one part and of four, which hold memory that there is for a few at a time: nothing waits in a circle."""
    room, queue, memory = Room(), Queue(10 * PAGE), asyncio.Semaphore(6)
    begun = 0

    async def page(number: int) -> int:
        nonlocal begun
        with await room.reserve(PAGE, number) as hold:
            async with memory:
                refused = await part(number, further=False)
                hold.release()
                for _ in range(3 if number % 2 else 0):
                    async with room.further(PAGE, number):
                        refused += await part(number, further=True)
        begun += 1
        return refused

    async def part(number: int, further: bool) -> int:
        refused = 0
        while True:
            try:
                async with room.sent(PAGE, number, further):
                    await queue.run(PAGE)
                return refused
            except Overloaded:
                refused += 1
                await asyncio.sleep(0.001)

    queue.limit = 3 * PAGE
    async with asyncio.timeout(30):
        await asyncio.gather(*(page(number) for number in range(64)))
        refused = sum(await asyncio.gather(*(page(number) for number in range(500))))
    assert refused <= 1250 * 0.06
    assert begun == 564
    (await room.reserve(room.limit - 1)).release()  # all of it was given back


async def test_a_further_part_waits_for_what_is_under_way_and_not_for_what_is_reserved() -> None:
    room = Room()
    with pytest.raises(Overloaded):
        async with room.sent(PAGE):
            raise Overloaded("full", 1.0)
    reserved = await room.reserve(PAGE, "a")  # all that there is
    second, third = room.further(PAGE, "c"), room.further(PAGE, "d")
    async with asyncio.timeout(5), room.further(PAGE, "b"), room.sent(PAGE, "b", further=True):
        waiting = asyncio.create_task(second.__aenter__())
        leaving = asyncio.create_task(third.__aenter__())
        new = asyncio.create_task(room.reserve(PAGE, "e"))
        await asyncio.sleep(0)
        assert not waiting.done()
    leaving.cancel()
    await asyncio.wait_for(waiting, 5)
    reserved.release()
    await asyncio.sleep(0)
    assert not new.done()
    await second.__aexit__(None, None, None)
    (await asyncio.wait_for(new, 5)).release()


async def test_a_page_goes_when_nothing_else_does() -> None:
    room, queue = Room(), Queue(PAGE)
    await asyncio.gather(*(read(room, queue, n) for n in range(8)))
    async with asyncio.timeout(5):
        (await room.reserve(100 * PAGE, "large")).release()


async def test_one_that_leaves_keeps_nobody_waiting() -> None:
    room = Room()
    with pytest.raises(Overloaded):
        async with room.sent(PAGE):
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
