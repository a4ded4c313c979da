"""Exports metrics under the names of PaddleServing's pipeline, so that its dashboards still work."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from prometheus_client import Metric
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import REGISTRY, Collector
from prometheus_client.samples import Sample

from ppocr import telemetry


class PipelineMetrics(Collector):
    """Five counters. The two named `_duration_us` hold milliseconds, as they did there."""

    def __init__(self, routes: Collection[str]) -> None:
        self._routes = routes

    def collect(self) -> Iterator[CounterMetricFamily]:
        good = bad = milliseconds = 0.0
        for sample in _samples(telemetry.REQUESTS, "ppocr_requests_total"):
            if sample.labels["route"] in self._routes:
                good, bad = (
                    (good + sample.value, bad) if sample.labels["code"] in ("200", "OK") else (good, bad + sample.value)
                )
        for sample in _samples(telemetry.REQUEST_SECONDS, "ppocr_request_seconds_sum"):
            milliseconds += sample.value * 1000 if sample.labels["route"] in self._routes else 0.0
        inferences = {
            suffix: sum(
                sample.value
                for sample in _samples(telemetry.STAGE_SECONDS, f"ppocr_stage_seconds_{suffix}")
                if sample.labels["stage"] in ("det", "rec")
            )
            for suffix in ("count", "sum")
        }
        yield _counter("pd_query_request_success", "metric_query_success", good)
        yield _counter("pd_query_request_failure", "metric_query_failure", bad)
        yield _counter("pd_inference_count", "metric_inf_count", inferences["count"])
        yield _counter("pd_query_request_duration_us", "metric_query_duration_us", milliseconds)
        yield _counter("pd_inference_duration_us", "metric_inf_duration_us", inferences["sum"] * 1000)

    def describe(self) -> list[Metric]:
        """Nothing is counted while it is registered."""
        return []


def register(routes: Collection[str]) -> None:
    """Adds them to GET /metrics."""
    REGISTRY.register(PipelineMetrics(routes))


def _samples(metric: Collector, name: str) -> Iterator[Sample]:
    return (sample for family in metric.collect() for sample in family.samples if sample.name == name)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text)
    family.add_metric([], value)
    return family
