"""Messages arrive as many at a time as there is memory for; who is slow makes way for who waits."""

from __future__ import annotations

import asyncio

import pytest

from ppocr_api.errors import Overloaded, PayloadTooLarge
from ppocr_limits import messages
from ppocr_limits.budget import Budget, Claim
from ppocr_limits.messages import Arrivals


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


async def test_a_slow_one_makes_way_only_for_one_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "SLOW_SECONDS", 0.05)
    budget = Budget(1000, bodies=1.0)
    arrivals = Arrivals(budget, max_bytes=1000)

    async def read(seconds: float) -> bytes:
        await asyncio.sleep(seconds)
        return b"x"

    assert await arrivals.message(lambda: read(0.2), Claim(budget)) == b"x"
    slow = asyncio.create_task(arrivals.message(lambda: read(30), Claim(budget)))
    await asyncio.sleep(0)
    assert await arrivals.message(lambda: read(0), Claim(budget)) == b"x"
    with pytest.raises(Overloaded):
        await slow


async def test_one_that_never_fits_is_too_large() -> None:
    budget = Budget(100, bodies=1.0)

    async def read() -> bytes:
        return b"x" * 50

    with pytest.raises(PayloadTooLarge):
        await Arrivals(budget, max_bytes=100).message(read, Claim(budget))
