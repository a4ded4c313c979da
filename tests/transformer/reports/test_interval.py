"""What two readings of the metrics say of the time between them, and the report of it."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest

from transformer.reports.interval import Interval, interval
from transformer.reports.samples import Samples
from transformer.reports.text import report

EMPTY = Samples(0.0, {})


def metrics(at: float, **counts: float) -> Samples:
    """Of a service that answered `good` and `bad` requests on /a, half of them in 10 ms and half in 40 ms."""
    good, bad, other = (counts.get(name, 0.0) for name in ("good", "bad", "other"))
    total = good + bad
    text = f"""
ppocr_requests_total{{route="/a",code="200"}} {good}
ppocr_requests_total{{route="/a",code="429"}} {bad}
ppocr_requests_total{{route="/metrics",code="200"}} {other}
ppocr_request_seconds_bucket{{route="/a",le="0.02"}} {total / 2}
ppocr_request_seconds_bucket{{route="/a",le="0.04"}} {total}
ppocr_request_seconds_bucket{{route="/a",le="+Inf"}} {total}
ppocr_request_seconds_sum{{route="/a"}} {total * 0.025}
ppocr_stage_seconds_sum{{stage="decode"}} {good * 0.002}
ppocr_stage_seconds_sum{{stage="scale"}} {good * 0.003}
ppocr_stage_seconds_sum{{stage="det"}} {good * 0.010}
ppocr_stage_seconds_count{{stage="det"}} {good}
ppocr_stage_seconds_sum{{stage="boxes"}} {good * 0.005}
ppocr_images_total {good}
ppocr_queue_items{{model="det"}} 3
ppocr_queue_pixels{{model="det"}} 70000
ppocr_requests_in_flight 4
"""
    return dataclasses.replace(Samples.parse(text), at=at)


def of(before: Samples, after: Samples) -> Interval:
    return interval(before, after, {"/a"})


def test_what_was_counted_in_between() -> None:
    found = of(metrics(10.0, good=5, bad=1), metrics(12.0, good=55, bad=51, other=9))
    assert (found.seconds, found.requests, found.images, found.in_flight) == (2.0, 100, 50, 4)
    assert (found.per_second, found.success, found.failed) == (50.0, 0.5, {"429": 50})
    assert found.queues == {"det": (3, 70000)}


def test_a_steps_times_and_how_long_it_had_nothing_to_do() -> None:
    found = of(metrics(0.0), metrics(2.0, good=50))
    (step,) = found.steps.values()
    assert (step.images, step.before, step.network, step.after) == (50, *map(pytest.approx, (5.0, 10.0, 5.0)))
    assert step.waits == pytest.approx(20.0)
    assert step.idle == pytest.approx(0.5)


def test_latencies_between_the_bounds_of_buckets() -> None:
    latency = of(metrics(0.0), metrics(1.0, good=100)).latency
    assert latency["ave"] == pytest.approx(25.0)
    assert [latency[each] for each in (50, 60, 90)] == [pytest.approx(value) for value in (20.0, 24.0, 36.0)]


def test_nothing_happened() -> None:
    found = of(metrics(0.0, good=5), metrics(1.0, good=5))
    assert (found.requests, found.success, found.latency, found.steps) == (0, 1.0, {}, {})
    assert "DAGExecutor" not in report(found)


def test_a_service_that_began_anew_counts_from_0() -> None:
    assert of(metrics(0.0, good=500), metrics(1.0, good=20)).requests == 20


def test_the_report_has_the_form_of_paddleservings_tracer() -> None:
    text = report(of(metrics(0.0), metrics(2.0, good=50, bad=50)))
    assert re.search(
        r"^Op\(det\):\n(\t(in|prep|midp|postp|out)\[[\d.]+ ms\]\n){5}\tidle\[0\.5000\]$", text, re.MULTILINE
    )
    assert re.search(
        r"^DAGExecutor:\n\tQuery count\[100\]\n\tQPS\[50\.000 q/s\]\n\tSucc\[0\.5000\]$", text, re.MULTILINE
    )
    assert [line for line in text.splitlines() if line.startswith("\t\t.")][-1].startswith("\t\t.99[")
    assert "\tdet size[3 items, 70000 pixels]" in text


def test_beyond_the_last_bound() -> None:
    text = 'ppocr_request_seconds_bucket{route="/a",le="1"} 0\nppocr_request_seconds_bucket{route="/a",le="+Inf"} 2\n'
    latency = of(EMPTY, dataclasses.replace(Samples.parse(text), at=1.0)).latency
    assert latency[99] == 1000.0
    assert math.isfinite(latency["ave"])
