"""Decides whether the canary does as well as the stable track."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ppocr_rollout.counts import Counts

#: Standard deviations by which two shares must differ before that counts as more than chance.
_SIGMAS = 3.0


@dataclass(frozen=True)
class Limits:
    """`min_success`: minimum share of the canary's requests that succeed. `max_p95_ratio`: maximum ratio of the canary's 95th
    percentile to the stable track's. `min_requests`: requests that the canary needs in a step.
    """

    min_success: float
    max_p95_ratio: float
    min_requests: int


def lost(canary: Counts, limits: Limits) -> str | None:
    """Why the canary can't succeed any more, whatever comes next within `min_requests`; None while it can."""
    expected = max(canary.total, limits.min_requests)
    # The small term is for shares like 0.99, of which binary fractions fall short.
    if canary.failed > (1 - limits.min_success) * expected + 1e-9:
        return f"{canary.failed:.0f} of {canary.total:.0f} requests failed"
    return None


def fault(canary: Counts, stable: Counts | None, limits: Limits) -> str | None:
    """Why the canary does worse than it must at the end of a step; None if it does well.

    `stable` is what to compare with: the stable track's requests in the same time, or in the last step that had
    enough of them. Without one, the success rate alone is judged.
    """
    if canary.total < limits.min_requests:
        return f"only {canary.total:.0f} of the {limits.min_requests} requests that are needed to judge"
    if (reason := lost(canary, limits)) is not None:
        return reason
    if stable is None:
        return None
    return _declines_more(canary, stable, limits) or _slower(canary, stable, limits)


def _declines_more(canary: Counts, stable: Counts, limits: Limits) -> str | None:
    """Callers send what can't be read to both tracks alike: a canary that declines more of it is itself wrong.

    Both must hold: it accepts less than `min_success` of the share that the stable track accepts, and the difference is more
    than chance (two-proportion z-test).
    """
    here, there = canary.declined / canary.total, stable.declined / stable.total
    pooled = (canary.declined + stable.declined) / (canary.total + stable.total)
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / canary.total + 1 / stable.total))
    if 1 - here < limits.min_success * (1 - there) and here - there > _SIGMAS * deviation:
        return f"{here:.1%} of its requests were declined (4xx), and {there:.1%} of the stable track's"
    return None


def _slower(canary: Counts, stable: Counts, limits: Limits) -> str | None:
    here, there = canary.quantile(0.95), stable.quantile(0.95)
    if here is None or not there or here <= limits.max_p95_ratio * there:
        return None
    return f"its p95 is {here / there:.2f} times the stable track's, and {limits.max_p95_ratio:g} times is the limit"
