"""Differences and quantiles of Prometheus counters."""

from __future__ import annotations

import math
import random

import pytest
from prometheus_client import CollectorRegistry, Histogram

from ppocr_rollout.counts import Counts, Window


def counts(good: float = 0, failed: float = 0, declined: float = 0, times: tuple[float, ...] = ()) -> Counts:
    """Counts whose histogram has these times in buckets of 0.1, 1 and 10 s."""
    buckets = {bound: float(sum(time <= bound for time in times)) for bound in (0.1, 1.0, 10.0, math.inf)}
    return Counts(good, failed, declined, buckets)


def test_success_is_the_share_that_did_not_fail() -> None:
    assert counts().success is None
    assert counts(good=8, failed=1, declined=1).success == pytest.approx(0.9)
    assert counts(declined=5).success == 1


def test_a_difference_of_two_samples() -> None:
    before, after = counts(10, 1, 2, (0.05, 0.5)), counts(25, 1, 3, (0.05, 0.5, 5, 50))
    assert after.since(before) == Counts(15, 0, 1, {0.1: 0, 1.0: 0, 10.0: 1, math.inf: 2})


@pytest.mark.parametrize(
    "after",
    [
        counts(good=3, times=(0.5,) * 20),
        counts(good=200, failed=0, times=(0.5,) * 200),
        counts(good=200, failed=9, times=(5.0,) * 9),
    ],
    ids=["good", "failed", "times"],
)
def test_a_counter_that_fell_began_again_at_zero(after: Counts) -> None:
    assert after.since(counts(good=100, failed=5, times=(0.5,) * 10)) == after


def test_a_series_that_appears_later_counts_from_zero() -> None:
    assert counts(good=4, times=(0.5,)).since(Counts(good=1)).buckets == {0.1: 0, 1.0: 1, 10.0: 1, math.inf: 1}


def test_sums_of_processes() -> None:
    assert counts(1, 2, 3, (0.05,)) + counts(10, 20, 30, (5,)) == Counts(
        11, 22, 33, {0.1: 1, 1.0: 1, 10.0: 2, math.inf: 2}
    )
    assert Counts() + counts(1) == counts(1)


@pytest.mark.parametrize(
    ("buckets", "share", "seconds"),
    [
        ({}, 0.5, None),
        ({1.0: 0, math.inf: 0}, 0.5, None),
        ({1.0: 10, 2.0: 10, math.inf: 10}, 0.5, 0.5),
        ({1.0: 10, 2.0: 10, math.inf: 10}, 1.0, 1.0),
        ({1.0: 5, 2.0: 10, math.inf: 10}, 0.75, 1.5),
        ({1.0: 5, 2.0: 5, 4.0: 10, math.inf: 10}, 0.6, 2.4),
        ({1.0: 5, 2.0: 5, math.inf: 10}, 0.95, 2.0),
        ({1.0: 0, 2.0: 8, math.inf: 8}, 0.5, 1.5),
    ],
)
def test_quantiles_by_hand(buckets: dict[float, float], share: float, seconds: float | None) -> None:
    """Figures as Prometheus' histogram_quantile gives them."""
    found = Counts(buckets=buckets).quantile(share)
    assert found == (None if seconds is None else pytest.approx(seconds))


def test_quantiles_lie_in_the_bucket_of_the_true_one() -> None:
    bounds = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
    rng = random.Random(7)
    for _ in range(50):
        times = sorted(rng.lognormvariate(-1, 0.8) for _ in range(400))
        registry = CollectorRegistry()
        histogram = Histogram("times", "", buckets=bounds, registry=registry)
        for time in times:
            histogram.observe(time)
        samples = [sample for family in registry.collect() for sample in family.samples]
        buckets = {float(each.labels["le"]): each.value for each in samples if each.name == "times_bucket"}
        found, true = Counts(buckets=buckets).quantile(0.95), times[379]
        assert found is not None
        low = max((bound for bound in bounds if bound < true), default=0.0)
        assert low <= found <= min(bound for bound in (*bounds, math.inf) if bound >= true)


def test_a_window_counts_from_its_first_sample() -> None:
    window = Window()
    window.add({"a": counts(100), "b": counts(50)})
    assert window.counts.total == 0
    window.add({"a": counts(110), "b": counts(55)})
    window.add({"a": counts(111)})
    window.add({"a": counts(112), "b": counts(60)})
    assert window.counts.good == 22


def test_a_window_takes_restarts_and_new_processes_in() -> None:
    window = Window()
    window.add({"a": counts(100)})
    window.add({"a": counts(7), "new": counts(4), "found late": counts(1000)}, born=frozenset({"new"}))
    assert window.counts.good == 11
    window.add({"new": counts(5), "found late": counts(1001)})
    assert window.counts.good == 13


def test_the_next_window_begins_where_this_one_ended() -> None:
    window = Window()
    window.add({"a": counts(100)})
    window.add({"a": counts(110)})
    following = window.next()
    assert following.counts.total == 0
    following.add({"a": counts(115)})
    assert (window.counts.good, following.counts.good) == (10, 5)
