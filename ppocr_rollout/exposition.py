"""Counts from the text of a pod's /metrics (docs/metrics.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from prometheus_client.parser import text_string_to_metric_families

from ppocr_api.errors import PpocrError
from ppocr_rollout.counts import Counts

REQUESTS, BUCKETS = "ppocr_requests_total", "ppocr_request_seconds_bucket"
#: Routes that read nothing: probes ask them all the time, in no time.
_IGNORED_ROUTES = re.compile(
    r"/|/metrics|/healthz|/v2/health/.*|.*/ready|/v[12]/models|/v2|/v2/models/\{model_name\}(/versions/\{\w+\})?"
    r"|/v1/models/\{model_name\}|/static/.*|/openapi.json|/docs|grpc:.*(Ready|Live|Metadata)"
)
#: Requests that end before their route is known: too large a body (413) is one, a path that doesn't exist is none.
_UNKNOWN = "unknown"
_NO_ROUTE = ("404", "405")
_DECLINED = frozenset(
    {"CANCELLED", "INVALID_ARGUMENT", "NOT_FOUND", "OUT_OF_RANGE", "FAILED_PRECONDITION", "UNIMPLEMENTED"}
)

#: Name of a sample, its labels, its value.
Sample = tuple[str, Mapping[str, str], float]


def counts(text: str) -> Counts:
    """Raises PpocrError if the text is not that of a ppocr service."""
    try:
        samples: list[Sample] = [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            if family.name in ("ppocr_requests", "ppocr_request_seconds")
            for sample in family.samples
        ]
    except ValueError as error:
        raise PpocrError(f"the metrics can't be read: {error}") from error
    if "ppocr_requests" not in text:
        raise PpocrError("the metrics have no ppocr_requests_total: is this a pod of ppocr-serving?")
    return from_samples(samples)


def from_samples(samples: Iterable[Sample]) -> Counts:
    """The readings among samples of one process; those of other metrics are passed over."""
    ended = {"good": 0.0, "failed": 0.0, "declined": 0.0}
    buckets: dict[float, float] = {}
    for name, labels, value in samples:
        route = labels.get("route", "")
        if _IGNORED_ROUTES.fullmatch(route):
            continue
        if name == REQUESTS and not (route == _UNKNOWN and labels["code"] in _NO_ROUTE):
            ended[kind(labels["code"])] += value
        elif name == BUCKETS and route != _UNKNOWN:
            bound = float(labels["le"])
            buckets[bound] = buckets.get(bound, 0.0) + value
    return Counts(**ended, buckets=buckets)


def kind(code: str) -> str:
    """`good`, `failed` or `declined`, of an HTTP status or the name of a gRPC status."""
    if code.isdecimal():
        if code < "400":
            return "good"
        return "failed" if code == "429" or code >= "500" else "declined"
    if code == "OK":
        return "good"
    return "declined" if code in _DECLINED else "failed"
