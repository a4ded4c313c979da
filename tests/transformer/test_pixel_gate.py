"""Memory for images: small ones never wait for huge ones, and nothing is lost."""

from __future__ import annotations

import asyncio

from transformer.pixel_gate import Hold, PixelGate

HUGE, SMALL = 64_000_000, 50_000


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_small_image_never_waits_for_huge_ones() -> None:
    gate = PixelGate(4 * HUGE)
    waiting = [asyncio.create_task(gate.hold(HUGE, f"huge {n}")) for n in range(8)]
    await settle()
    assert sum(task.done() for task in waiting) == 3
    async with asyncio.timeout(5):
        small = [await gate.hold(SMALL, f"small {n}") for n in range(50)]
    for hold in small:
        hold.release()
    for task in waiting:
        (await task).release()
        await settle()


async def test_a_stream_of_small_images_lets_a_huge_one_in() -> None:
    gate = PixelGate(HUGE)
    small: list[Hold] = [await gate.hold(1_000_000, n) for n in range(64)]
    huge = asyncio.create_task(gate.hold(HUGE, "huge"))
    later = [asyncio.create_task(gate.hold(1_000_000, f"later {n}")) for n in range(64)]
    await settle()
    assert not huge.done()
    for hold in small:
        hold.release()
        await settle()
    assert huge.done()
    (await huge).release()
    async with asyncio.timeout(5):
        for task in later:
            (await task).release()


async def test_the_pixels_inside_never_exceed_the_capacity_and_none_are_lost() -> None:
    gate, inside, most = PixelGate(1_000_000), 0, 0

    async def one(number: int) -> None:
        nonlocal inside, most
        pixels = (number * 7919) % 400_000
        with await gate.hold(pixels, number % 5):
            inside += pixels
            most = max(most, inside)
            try:
                await asyncio.sleep(0)
            finally:
                inside -= pixels

    tasks = [asyncio.create_task(one(number)) for number in range(500)]
    await settle()
    for task in tasks[::3]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most <= 1_000_000
    async with asyncio.timeout(5):
        (await gate.hold(10**9, "all")).release()


async def test_one_that_leaves_while_it_is_let_in_gives_its_pixels_back() -> None:
    gate = PixelGate(800)
    first = await gate.hold(100, "a")
    rest = await gate.hold(700, "a")
    waiting = asyncio.create_task(gate.hold(90, "b"))
    await settle()
    waiting.cancel()
    first.release()  # its turn comes after it was cancelled, and before it noticed
    await asyncio.gather(waiting, return_exceptions=True)
    rest.release()
    async with asyncio.timeout(5):
        for _ in range(3):
            (await gate.hold(700, "c")).release()
