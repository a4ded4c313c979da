"""Admitted requests that can't all be finished in time: the newest are cancelled, so that the oldest are answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

import pytest

from ppocr_api.errors import DeadlineExceeded, Overloaded
from tests.transformer.test_turnover import Clock
from transformer.admission import Admission
from transformer.admitted import Admitted


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("transformer.admission.time", clock)
    return clock


@dataclass
class Client:
    """Sends one request of `images`, each of which takes the service `seconds`, and notes what became of it."""

    images: int
    seconds: float
    limit: float = 60.0
    ended: str = ""
    admitted: Admitted | None = None

    async def ask(self, admission: Admission, clock: Clock, share: str) -> None:
        deadline = clock.now + self.limit
        try:
            with admission.enter(self.images, share, self.limit) as self.admitted:
                async with self.admitted.unless_given_up():
                    while self.admitted.left:
                        await asyncio.sleep(0)
                        if clock.now > deadline:
                            raise DeadlineExceeded("time is up")
            self.ended = "answered"
        except (Overloaded, DeadlineExceeded) as error:
            self.ended = type(error).__name__


async def served(clients: list[Client], clock: Clock, slow_start: float = 0.0) -> list[str]:
    """What becomes of clients that come at once, to a service that takes one image of each in turn."""
    admission = Admission(128)
    tasks = [asyncio.create_task(each.ask(admission, clock, f"share {n}")) for n, each in enumerate(clients)]
    await asyncio.sleep(0)
    clock.now += slow_start
    while any(not each.ended for each in clients):
        for each in clients:
            if not each.ended and each.admitted is not None and each.admitted.left:
                clock.now += each.seconds
                if not each.ended:
                    each.admitted.answered()
            for _ in range(4):
                await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return [each.ended for each in clients]


@pytest.mark.parametrize("seconds", [0.7, 0.83, 1.0, 1.3])
@pytest.mark.parametrize("clients", [2, 3, 4])
async def test_of_a_rush_after_a_rest_the_oldest_are_answered(clients: int, seconds: float, clock: Clock) -> None:
    ends = await served([Client(32, seconds) for _ in range(clients)], clock, slow_start=2.0)
    assert ends[0] == "answered"
    assert "DeadlineExceeded" not in ends, ends
    assert Counter(ends)["answered"] >= min(clients, int(58 / (32 * seconds)) - 1)


async def test_all_that_can_be_read_in_time_are(clock: Clock) -> None:
    assert await served([Client(32, 0.55) for _ in range(3)], clock) == ["answered"] * 3


@pytest.mark.parametrize("images", [1, 8, 20, 32])
async def test_small_images_are_not_given_up_for_the_pace_of_large_ones(images: int, clock: Clock) -> None:
    ends = await served([*(Client(1, 4.0) for _ in range(6)), Client(images, 0.05)], clock)
    assert ends == ["answered"] * 7


async def test_a_request_that_takes_too_long_alone_is_not_refused_for_others(clock: Clock) -> None:
    assert await served([Client(32, 2.4)], clock) == ["DeadlineExceeded"]


async def test_what_was_given_up_is_not_let_in_again_at_once(clock: Clock) -> None:
    admission = Admission(128)
    with admission.enter(32, "a", 60.0) as first:
        with pytest.raises(Overloaded), admission.enter(32, "b", 60.0) as second:
            for _ in range(12):
                clock.now += 2.6
                first.answered()
                second.answered()
            assert first.refusal is None
            assert second.refusal is not None
            raise second.refusal
        clock.now += 20.0
    with admission.enter(32, "a", 60.0), pytest.raises(Overloaded), admission.enter(32, "b", 60.0):
        pass
