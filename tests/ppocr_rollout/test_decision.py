"""When the canary goes on, and when it is taken back."""

from __future__ import annotations

import math

import pytest

from ppocr_rollout.counts import Counts
from ppocr_rollout.decision import Limits, fault, lost

LIMITS = Limits(min_success=0.99, max_p95_ratio=1.25, min_requests=50)


def track(good: int, failed: int = 0, declined: int = 0, seconds: float = 1.0) -> Counts:
    """Requests that took up to `seconds`, evenly."""
    total = good + failed + declined
    return Counts(good, failed, declined, {seconds: total, math.inf: total})


def test_a_canary_that_does_as_well_holds() -> None:
    assert fault(track(200), track(2000), LIMITS) is None
    assert fault(track(200, seconds=1.25), track(2000), LIMITS) is None


def test_too_few_requests_are_no_evidence() -> None:
    assert fault(track(49), track(2000), LIMITS) == "only 49 of the 50 requests that are needed to judge"


@pytest.mark.parametrize(("good", "failed", "holds"), [(198, 2, True), (99, 1, True), (197, 3, False), (50, 1, False)])
def test_failures_are_bounded_by_the_success_rate(good: int, failed: int, holds: bool) -> None:
    assert (fault(track(good, failed), track(2000), LIMITS) is None) is holds


def test_failures_of_the_stable_track_are_no_excuse() -> None:
    assert fault(track(90, 10), track(900, 100), LIMITS) == "10 of 100 requests failed"


def test_a_canary_is_lost_as_soon_as_no_further_request_can_save_it() -> None:
    patient = Limits(min_success=0.95, max_p95_ratio=1.25, min_requests=100)
    assert lost(track(0, 5), patient) is None
    assert lost(track(0, 6), patient) == "6 of 6 requests failed"
    assert lost(track(190, 10), patient) is None
    assert lost(track(189, 11), patient) == "11 of 200 requests failed"


def test_a_slower_canary_is_taken_back() -> None:
    reason = fault(track(200, seconds=1.5), track(2000), LIMITS)
    assert reason == "its p95 is 1.50 times the stable track's, and 1.25 times is the limit"


def test_without_anything_to_compare_with_times_are_not_judged() -> None:
    assert fault(track(200, seconds=9), None, LIMITS) is None
    assert fault(track(200, 10), None, LIMITS) == "10 of 210 requests failed"


def test_callers_mistakes_are_no_fault_where_both_tracks_get_them() -> None:
    assert fault(track(160, declined=40), track(1600, declined=400), LIMITS) is None


def test_a_canary_that_declines_what_the_stable_track_reads_is_taken_back() -> None:
    reason = fault(track(150, declined=50), track(1900, declined=100), LIMITS)
    assert reason == "25.0% of its requests were declined (4xx), and 5.0% of the stable track's"


def test_more_declined_by_chance_is_no_fault() -> None:
    """14 % and 10 % of 50 requests: seven mistakes instead of five."""
    assert fault(track(43, declined=7), track(900, declined=100), LIMITS) is None


def test_only_declined_requests_on_both_sides() -> None:
    assert fault(track(0, declined=60), track(0, declined=600), LIMITS) is None
