"""The scheduler's events and state as metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import REGISTRY, Metric
from prometheus_client.core import GaugeMetricFamily

from ppocr import telemetry
from predictor.batching import DropReason, Stats


class MetricsObserver:
    """Counts batches and drops."""

    def on_batch(self, network: str, items: int, pixels: int, seconds_queue: float, seconds_infer: float) -> None:
        telemetry.BATCH_ITEMS.labels(network).observe(items)
        telemetry.BATCH_PIXELS.labels(network).inc(pixels)
        telemetry.STAGE_SECONDS.labels("queue").observe(seconds_queue)
        telemetry.STAGE_SECONDS.labels("infer").observe(seconds_infer)

    def on_drop(self, reason: DropReason) -> None:
        telemetry.DROPPED.labels(reason).inc()


class QueueCollector:
    """Reads the queues of this process' predictors when it is scraped, so that the queues do nothing for it.

    With several predictors, waiting work is added up, and the longest of their times counts.
    """

    def __init__(self) -> None:
        self._sources: list[Callable[[], Stats]] = []

    def add(self, stats: Callable[[], Stats]) -> Callable[[], None]:
        """Reads `stats` too, from any thread, until the returned function is called."""
        self._sources.append(stats)
        return lambda: self._sources.remove(stats)

    def collect(self) -> Iterator[Metric]:
        known = [stats() for stats in tuple(self._sources)]
        yield _by_model("items", "Items that wait for a network.", [stats.queue_items for stats in known])
        yield _by_model("pixels", "Pixels that wait for a network.", [stats.queue_pixels for stats in known])
        oldest = max((stats.oldest_seconds for stats in known), default=0.0)
        yield GaugeMetricFamily("ppocr_queue_oldest_seconds", "How long the oldest waiting request has waited.", oldest)
        running = max((stats.running_seconds for stats in known), default=0.0)
        yield GaugeMetricFamily(
            "ppocr_queue_running_seconds", "How long the current run of a network has taken.", running
        )


def _by_model(name: str, text: str, waiting: Sequence[Mapping[str, int]]) -> Metric:
    family = GaugeMetricFamily(f"ppocr_queue_{name}", text, labels=["model"])
    for model in dict.fromkeys(model for each in waiting for model in each):
        family.add_metric([model], sum(each.get(model, 0) for each in waiting))
    return family


#: The collector of this process.
QUEUES = QueueCollector()
REGISTRY.register(QUEUES)
