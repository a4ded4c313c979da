"""What waits for memory and can't be read in its time is refused, and not begun."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from ppocr_api.errors import Overloaded
from tests.transformer.test_pixel_gate import HUGE, settle
from transformer.pixel_gate import PixelGate


@dataclass
class Clock:
    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The gate's time, which isn't the event loop's. What waits looks at it every millisecond."""
    clock = Clock()
    monkeypatch.setattr("transformer.pixel_gate.time", clock)
    monkeypatch.setattr("transformer.pixel_gate._CHECK_SECONDS", 0.001)
    return clock


async def looks() -> None:
    """Until all that wait have looked at the clock: in turns, as on a busy machine several timers are due at once."""
    for _ in range(5):
        await asyncio.sleep(0.003)


async def test_images_that_cant_be_read_in_their_time_are_refused_before_they_are_begun(clock: Clock) -> None:
    """Twenty of the largest at once, each of which takes 12 s of the 60 that a request has, one after the other."""
    gate = PixelGate(HUGE)
    waiting = [asyncio.create_task(gate.hold(HUGE, f"huge {n}", clock.now + 60.0)) for n in range(20)]
    read, refused_at = 0, list[int]()
    for second in range(1, 61):
        await looks()
        clock.now += 1.0
        await looks()
        refused = [task for task in waiting if task.done() and isinstance(task.exception(), Overloaded)]
        refused_at += [second] * (len(refused) - len(refused_at))
        if second % 12 == 0:
            inside = [task for task in waiting if task.done() and task not in refused]
            (hold,) = (task.result() for task in inside[read : read + 1])
            hold.release()
            read += 1
    assert (read, len(refused_at)) == (5, 15)
    assert refused_at[0] <= 4, "the last ones learn it at once"
    assert refused_at[-1] <= 12, "one image that was read shows how many there is time for"
    async with asyncio.timeout(5):
        (await gate.hold(HUGE, "next", clock.now + 60.0)).release()


async def test_images_without_a_time_limit_wait(clock: Clock) -> None:
    gate = PixelGate(HUGE)
    first = await gate.hold(HUGE, "first")
    second = asyncio.create_task(gate.hold(HUGE, "second"))
    await settle()
    clock.now += 10_000.0
    await settle()
    first.release()
    (await second).release()


async def test_a_single_image_is_not_refused_for_what_another_sends_in_bulk(clock: Clock) -> None:
    gate = PixelGate(HUGE)
    bulk = [asyncio.create_task(gate.hold(HUGE, "bulk", clock.now + 60.0)) for _ in range(32)]
    single = asyncio.create_task(gate.hold(HUGE, "single", clock.now + 60.0))
    await looks()
    clock.now += 8.0
    await looks()
    assert sum(task.done() for task in bulk) > 20
    assert not single.done()
    (await bulk[0]).release()
    async with asyncio.timeout(5):
        while not single.done():
            await asyncio.sleep(0.001)
            for task in bulk[1:]:
                if task.done() and task.exception() is None:
                    task.result().release()
    (await single).release()
    for task in bulk:
        task.cancel()
    await asyncio.gather(*bulk, return_exceptions=True)
