"""A body that is declared and doesn't come makes way for one that does."""

from __future__ import annotations

import asyncio

import pytest

from ppocr_api.errors import Overloaded
from ppocr_limits import budget as budgets
from ppocr_limits.bodies import Message, read_body
from ppocr_limits.budget import Budget, Claim

pytestmark = pytest.mark.alone  # it measures times

HEADERS = {b"content-length": b"100", b"content-type": b"image/png"}


async def whole() -> Message:
    return {"type": "http.request", "body": b"x" * 100, "more_body": False}


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def trickle() -> Message:
    await asyncio.sleep(0.01)
    return {"type": "http.request", "body": b"x", "more_body": True}


@pytest.mark.parametrize(("first", "stays"), [(never, False), (trickle, True)])
async def test_one_that_pauses_makes_way(monkeypatch: pytest.MonkeyPatch, first: object, stays: bool) -> None:
    monkeypatch.setattr(budgets, "STALLED_SECONDS", 0.1)
    budget = Budget(300, bodies=1.0)

    async def read(receive: object) -> bytes | None:
        with Claim(budget) as claim:
            return await read_body(HEADERS, receive, claim, 1000, lambda: 60.0)  # type: ignore[arg-type]

    slow = asyncio.create_task(read(first))
    await asyncio.sleep(0.3)
    with pytest.raises(Overloaded):
        await read(whole)
    await asyncio.sleep(0.05)
    assert slow.done() is not stays
    if stays:
        slow.cancel()
    else:
        with pytest.raises(Overloaded, match="paused"):
            await slow
        assert await read(whole) == b"x" * 100
    await asyncio.gather(slow, return_exceptions=True)
    assert budget.held == 0
