"""How the highest rate is found, and what is made of it."""

from __future__ import annotations

from collections import Counter

import pytest

from ppocr_capacity.load import Counted
from ppocr_capacity.search import Bounds, Step, best, search
from ppocr_capacity.sizing import sizing
from ppocr_capacity.usage import Usage, sample


def counted(seconds: list[float], refused: int = 0, failed: int = 0) -> Counted:
    return Counted(len(seconds) + refused + failed, seconds, 0, refused, +Counter({"500": failed}), Counter(), 1.0)


async def steps_for(capacity: float, start: float, highest: float = 1000.0, precision: float = 0.1) -> list[Step]:
    """Of a service that holds every rate up to `capacity`."""

    async def measure(rate: float) -> Step:
        return Step(rate, counted([0.1]), "" if rate <= capacity else "too slow")

    return await search(measure, start, highest, precision)


@pytest.mark.parametrize("capacity", [0.4, 1.0, 3.3, 17.0, 480.0])
@pytest.mark.parametrize("start", [0.5, 1.0, 6.0])
async def test_the_highest_rate_is_found_from_both_sides(capacity: float, start: float) -> None:
    steps = await steps_for(capacity, start)
    found = best(steps)
    assert found is not None
    assert capacity / 1.1 <= found.rate <= capacity
    assert len(steps) < 20


async def test_the_search_ends_at_the_highest_rate() -> None:
    steps = await steps_for(50.0, 1.0, highest=6.0)
    assert [step.rate for step in steps] == [1.0, 2.0, 4.0, 6.0]


async def test_where_nothing_holds_it_gives_up() -> None:
    steps = await steps_for(0.0, 1.0)
    assert best(steps) is None
    assert len(steps) <= 8


@pytest.mark.parametrize(
    ("counts", "fault"),
    [
        (counted([0.5] * 95 + [9.0] * 5), ""),
        (counted([0.5] * 94 + [9.0] * 6), "the 95th percentile is 9.00 s"),
        (counted([0.5] * 99, refused=1), "1 of 100 refused or failed"),
        (counted([0.5] * 98, failed=2), "2 of 100 refused or failed (2 × 500)"),
        (counted([]), "nothing was sent"),
    ],
)
def test_what_holds(counts: Counted, fault: str) -> None:
    assert Bounds(1.0, 0.0).fault(counts) == fault


def test_some_may_be_refused() -> None:
    assert Bounds(1.0, 0.01).fault(counted([0.5] * 99, refused=1)) == ""


def test_pods_and_targets_for_a_rate() -> None:
    """Two pods hold 10 images/s with 3 cores in use of 2 × 1 requested: with 20 % to spare one reads 4."""
    size = sizing(21.0, 10.0, 0.2, Usage("predictor", 2, 1.0, 3.0, 5_000_000.0))
    assert (size.pods, size.images_per_second) == (6, 4.0)
    assert (size.cpu_percent, size.queue_pixels) == (120, 2_000_000)


def test_targets_that_the_metrics_do_not_say() -> None:
    size = sizing(4.0, 10.0, 0.0, Usage("transformer", 1, 0.0, 1.0, None))
    assert (size.pods, size.cpu_percent, size.queue_pixels) == (1, None, None)


def test_the_queues_of_all_networks_are_added_up() -> None:
    text = (
        "# TYPE ppocr_queue_pixels gauge\n"
        'ppocr_queue_pixels{model="det"} 700000.0\nppocr_queue_pixels{model="rec"} 1.5e+06\n'
        "process_cpu_seconds_total 12.5\nprocess_cpu_seconds_created 1.0\n"
    )
    assert sample(text) == {"ppocr_queue_pixels": 2_200_000.0, "process_cpu_seconds_total": 12.5}
