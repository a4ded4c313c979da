"""Searches the highest sustained rate: it is doubled until it isn't sustained, then narrowed down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from ppocr_capacity.load import Counted


@dataclass(frozen=True)
class Bounds:
    """Limits of a step: the 95th percentile in seconds, and the share of requests that may be refused or fail."""

    p95_seconds: float
    bad_ratio: float

    def fault(self, counted: Counted) -> str:
        """Why the step doesn't hold; "" if it does."""
        if not counted.sent:
            return "nothing was sent"
        bad = counted.refused + counted.failed.total()
        if bad / counted.sent > self.bad_ratio:
            reasons = [f"{number} × {reason}" for reason, number in counted.failed.most_common(2)]
            return f"{bad} of {counted.sent} refused or failed" + (f" ({', '.join(reasons)})" if reasons else "")
        p95 = counted.percentile(0.95)
        return f"the 95th percentile is {p95:.2f} s" if p95 > self.p95_seconds else ""


@dataclass(frozen=True)
class Step:
    """One measured rate [images/s]; `fault` is "" if it is sustained."""

    rate: float
    counted: Counted
    fault: str


async def search(
    measure: Callable[[float], Awaitable[Step]], start: float, highest: float, precision: float
) -> list[Step]:
    """The steps in their order. The last rate that holds is within `precision` (a share) of one that doesn't, or `highest`."""
    steps: list[Step] = []
    low, high = 0.0, float("inf")
    for rate in _rates(steps, start, highest, precision):
        step = await measure(rate)
        steps.append(step)
        if step.fault:
            high = min(high, rate)
        else:
            low = max(low, rate)
        if low >= high:  # a lower rate failed than one that held: noise; the higher one has been seen to hold
            break
    return steps


def _rates(steps: list[Step], start: float, highest: float, precision: float) -> Iterator[float]:
    """The next rate, by what the steps so far say."""
    yield min(start, highest)
    while True:
        held = max((step.rate for step in steps if not step.fault), default=0.0)
        failed = min((step.rate for step in steps if step.fault), default=float("inf"))
        if held >= highest or failed <= start / 2**6:
            return
        if failed == float("inf"):
            yield min(held * 2, highest)
        elif held == 0.0:
            yield failed / 2
        elif failed / held > 1 + precision:
            yield (failed * held) ** 0.5
        else:
            return


def best(steps: list[Step]) -> Step | None:
    """The highest rate that holds."""
    return max((step for step in steps if not step.fault), key=lambda step: step.rate, default=None)
