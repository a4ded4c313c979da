"""What the metrics of two instants say of the time between them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from transformer.reports.samples import Samples

PERCENTILES: Final = (50, 60, 70, 80, 90, 95, 99)
#: A network's step: the stages before it, the network, the stages after it.
STEPS: Final[Mapping[str, tuple[tuple[str, ...], str, tuple[str, ...]]]] = {
    "det": (("decode", "scale"), "det", ("boxes",)),
    "rec": (("crops",), "rec", ("ctc",)),
}
_GOOD: Final = ("200", "OK")


@dataclass(frozen=True)
class Step:
    """Mean times of an image, in milliseconds. `waits` is how long the step had nothing to do between two images."""

    images: int
    waits: float
    before: float
    network: float
    after: float

    @property
    def idle(self) -> float:
        """The share of the time in which the step had nothing to do."""
        busy = self.before + self.network + self.after
        return self.waits / (self.waits + busy) if self.waits + busy else 1.0


@dataclass(frozen=True)
class Interval:
    """`latency` in milliseconds: the mean, and by percentile, interpolated between the bounds of the histogram's buckets.
    `failed` counts requests by the code that they were answered with; `queues` are items and pixels by network."""

    seconds: float
    requests: int
    failed: Mapping[str, int]
    images: int
    latency: Mapping[int | str, float]
    steps: Mapping[str, Step]
    queues: Mapping[str, tuple[int, int]]
    in_flight: int

    @property
    def per_second(self) -> float:
        """Requests."""
        return self.requests / self.seconds

    @property
    def success(self) -> float:
        """The share of the requests that was read."""
        return 1 - sum(self.failed.values()) / self.requests if self.requests else 1.0


def interval(before: Samples, after: Samples, routes: Collection[str]) -> Interval:
    """Of the requests on `routes`, as the metrics name them."""
    change = after.since(before)
    seconds = max(after.at - before.at, 1e-9)
    codes: Counter[str] = Counter()
    for labels, count in change.named("ppocr_requests_total"):
        if labels["route"] in routes:
            codes[labels["code"]] += round(count)
    failed = {code: count for code, count in sorted(codes.items()) if count and code not in _GOOD}
    return Interval(
        seconds=seconds,
        requests=codes.total(),
        failed=failed,
        images=round(sum(count for _, count in change.named("ppocr_images_total"))),
        latency=_latency(change, routes),
        steps={name: step for name in STEPS if (step := _step(change, name, seconds)) is not None},
        queues=_queues(after),
        in_flight=round(sum(count for _, count in after.named("ppocr_requests_in_flight"))),
    )


def _step(change: Samples, name: str, seconds: float) -> Step | None:
    totals = {labels["stage"]: value for labels, value in change.named("ppocr_stage_seconds_sum")}
    counts = {labels["stage"]: value for labels, value in change.named("ppocr_stage_seconds_count")}
    before, network, after = STEPS[name]
    images = counts.get(network, 0)
    if not images:
        return None

    def milliseconds(*stages: str) -> float:
        return sum(totals.get(stage, 0.0) for stage in stages) * 1000 / images

    busy = milliseconds(*before, network, *after)
    waits = max(0.0, seconds * 1000 / images - busy)
    return Step(round(images), waits, milliseconds(*before), milliseconds(network), milliseconds(*after))


def _latency(change: Samples, routes: Collection[str]) -> dict[int | str, float]:
    buckets: Counter[float] = Counter()
    for labels, count in change.named("ppocr_request_seconds_bucket"):
        if labels["route"] in routes:
            buckets[float(labels["le"])] += round(count)
    total = buckets.get(math.inf, 0)
    if not total:
        return {}
    seconds = sum(v for labels, v in change.named("ppocr_request_seconds_sum") if labels["route"] in routes)
    quantiles: dict[int | str, float] = {each: _quantile(buckets, total * each / 100) * 1000 for each in PERCENTILES}
    return {"ave": seconds * 1000 / total, **quantiles}


def _quantile(buckets: Mapping[float, int], rank: float) -> float:
    """As PromQL's histogram_quantile: the last bound if it is beyond all of them."""
    lower, below = 0.0, 0
    for bound in sorted(buckets):
        count = buckets[bound]
        if count >= rank and count > below:
            return lower if math.isinf(bound) else lower + (bound - lower) * (rank - below) / (count - below)
        lower, below = (lower if math.isinf(bound) else bound), count
    return lower


def _queues(now: Samples) -> dict[str, tuple[int, int]]:
    pixels = {labels["model"]: round(value) for labels, value in now.named("ppocr_queue_pixels")}
    return {
        labels["model"]: (round(value), pixels.get(labels["model"], 0))
        for labels, value in now.named("ppocr_queue_items")
    }
