"""Messages arrive as many at a time as there is memory for; who is slow makes way for who waits."""

from __future__ import annotations

import asyncio
import time

import pytest

from ppocr_api.errors import Overloaded, PayloadTooLarge
from ppocr_limits import messages
from ppocr_limits.arrival_watch import ArrivalWatch
from ppocr_limits.budget import MIB, Budget, Claim
from ppocr_limits.messages import Arrivals, Read

pytestmark = pytest.mark.alone  # it measures times


async def quick() -> bytes:
    return b"quick"


def slow(coming: asyncio.Event) -> Read:
    """A message that is there once `coming` is set."""

    async def read() -> bytes:
        await coming.wait()
        return b"slow"

    return read


async def test_no_more_are_waited_for_than_there_is_room() -> None:
    budget = Budget(1000, bodies=1.0)
    arrivals = Arrivals(budget, max_bytes=200)
    at_once = most = 0

    async def read() -> bytes:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return b"x" * 10

    claims = [Claim(budget) for _ in range(20)]
    assert await asyncio.gather(*(arrivals.message(read, claim) for claim in claims)) == [b"x" * 10] * 20
    assert most == 2
    assert budget.held == 20 * 30


async def calls_in_progress(
    arrivals: Arrivals, budget: Budget, coming: asyncio.Event, count: int
) -> list[asyncio.Task[bytes]]:
    """Calls whose messages come once `coming` is set."""
    calls = [asyncio.create_task(arrivals.message(slow(coming), Claim(budget))) for _ in range(count)]
    await asyncio.sleep(0)
    return calls


async def test_hundreds_that_never_come_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MANY", 5)
    budget = Budget(1000, bodies=1.0)
    arrivals = Arrivals(budget, max_bytes=1000)
    silent = await calls_in_progress(arrivals, budget, asyncio.Event(), 100)
    began = time.monotonic()
    assert await arrivals.message(quick, Claim(budget), in_turn=False) == b"quick"
    assert time.monotonic() - began < 0.5
    assert await asyncio.wait_for(arrivals.message(quick, Claim(budget)), 10) == b"quick"  # 20 s at one in 0.2 s
    for each in silent:
        each.cancel()
    await asyncio.gather(*silent, return_exceptions=True)


async def test_those_that_never_come_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "CHECK_INTERVAL_SECONDS", 0.02)
    budget = Budget(1000, bodies=1.0)
    arrivals = Arrivals(budget, max_bytes=1000)
    coming = asyncio.Event()
    silent = await calls_in_progress(arrivals, budget, coming, 20)
    assert await asyncio.wait_for(arrivals.message(quick, Claim(budget)), 2) == b"quick"
    assert not any(task.done() for task in silent)
    coming.set()
    assert await asyncio.gather(*silent) == [b"slow"] * 20


async def test_nobody_gets_a_turn_while_those_without_one_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a message that comes looks as silent as one that doesn't."""
    monkeypatch.setattr(messages, "CHECK_INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(messages, "TURN_SECONDS", 0.2)
    limit, size = 2048 * MIB, [600 * MIB]
    budget = Budget(1200 * MIB)
    arrivals = Arrivals(budget, max_bytes=200 * MIB, watch=ArrivalWatch(budget, lambda: size[0], lambda: limit))
    coming = asyncio.Event()

    silent = asyncio.create_task(arrivals.message(slow(coming), Claim(budget)))
    await asyncio.sleep(0)
    assert await arrivals.message(quick, Claim(budget)) == b"quick"  # the silent one has no turn any more
    size[0] = 1300 * MIB  # of 1,638; it is not yet given up, and there is no room for 400 more
    with pytest.raises(Overloaded, match="more messages arrive than there is memory for"):
        await arrivals.message(quick, Claim(budget))
    waiting = asyncio.create_task(arrivals.message(quick, Claim(budget)))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    coming.set()
    assert await asyncio.wait_for(waiting, 1) == b"quick"
    assert await silent == b"slow"


async def test_one_that_has_been_silent_for_long_makes_way_at_once() -> None:
    """As a stream between two of its messages."""
    budget = Budget(1000, bodies=1.0)
    arrivals = Arrivals(budget, max_bytes=1000)
    said = asyncio.Event()

    async def stream() -> bytes:
        await said.wait()
        return b"next"

    silent = asyncio.create_task(arrivals.next_message(stream))
    await asyncio.sleep(1.5 * messages.CHECK_INTERVAL_SECONDS)
    began = time.monotonic()
    assert await arrivals.message(quick, Claim(budget)) == b"quick"
    assert time.monotonic() - began < messages.CHECK_INTERVAL_SECONDS / 2
    said.set()
    assert await silent == b"next"


async def test_one_that_comes_quickly_keeps_its_turn() -> None:
    budget = Budget(1000, bodies=1.0)
    size = [0]

    def growing() -> int:
        size[0] += 2 * messages.QUICK_GROWTH
        return size[0]

    arrivals = Arrivals(budget, max_bytes=1000, watch=ArrivalWatch(budget, growing, lambda: 1 << 60))

    async def comes(order: list[str], name: str, seconds: float) -> bytes:
        await asyncio.sleep(seconds)
        order.append(name)
        return b"x"

    order: list[str] = []
    first = asyncio.create_task(arrivals.message(lambda: comes(order, "large", 0.7), Claim(budget)))
    await asyncio.sleep(0)
    await arrivals.message(lambda: comes(order, "small", 0.0), Claim(budget))
    await first
    assert order == ["large", "small"]


async def test_a_client_that_leaves_gives_its_turn_back() -> None:
    budget = Budget(1000, bodies=1.0)
    arrivals = Arrivals(budget, max_bytes=1000)

    async def never() -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    leaving = asyncio.create_task(arrivals.message(never, Claim(budget)))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await asyncio.wait_for(arrivals.message(quick, Claim(budget)), 2) == b"quick"


async def test_one_that_never_fits_is_too_large() -> None:
    budget = Budget(100, bodies=1.0)

    async def read() -> bytes:
        return b"x" * 50

    with pytest.raises(PayloadTooLarge):
        await Arrivals(budget, max_bytes=100).message(read, Claim(budget))
