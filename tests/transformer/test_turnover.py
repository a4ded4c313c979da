"""What waits for memory and can't be read in its time is refused, and not begun."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from ppocr_api.errors import Overloaded
from tests.transformer.test_admission import HUGE, settle
from transformer.admission import PixelGate


async def test_images_that_cant_be_read_in_their_time_are_refused_before_they_are_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twenty of the largest at once, each of which takes 12 s of the 60 that a request has, one after the other."""
    clock = 1000.0
    monkeypatch.setattr(
        "transformer.admission.time", SimpleNamespace(monotonic=lambda: clock)
    )  # not the event loop's time
    monkeypatch.setattr("transformer.admission._LOOKS", 0.001)
    gate = PixelGate(HUGE)
    waiting = [asyncio.create_task(gate.hold(HUGE, f"huge {n}", clock + 60.0)) for n in range(20)]
    read, refused_at = 0, []
    for second in range(1, 61):
        await asyncio.sleep(0.01)
        clock += 1.0
        await asyncio.sleep(0.01)
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
        (await gate.hold(HUGE, "next", clock + 60.0)).release()


async def test_images_without_a_time_limit_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(
        "transformer.admission.time", SimpleNamespace(monotonic=lambda: clock)
    )  # not the event loop's time
    gate = PixelGate(HUGE)
    first = await gate.hold(HUGE, "first")
    second = asyncio.create_task(gate.hold(HUGE, "second"))
    await settle()
    clock += 10_000.0
    await settle()
    first.release()
    (await second).release()


async def test_a_single_image_is_not_refused_for_what_another_sends_in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(
        "transformer.admission.time", SimpleNamespace(monotonic=lambda: clock)
    )  # not the event loop's time
    monkeypatch.setattr("transformer.admission._LOOKS", 0.001)
    gate = PixelGate(HUGE)
    bulk = [asyncio.create_task(gate.hold(HUGE, "bulk", clock + 60.0)) for _ in range(32)]
    single = asyncio.create_task(gate.hold(HUGE, "single", clock + 60.0))
    await asyncio.sleep(0.01)
    clock += 8.0
    await asyncio.sleep(0.01)
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
