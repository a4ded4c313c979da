"""The scheduler's events and state as metrics."""

from __future__ import annotations

from ppocr import telemetry
from ppocr.contract import Part
from predictor.batching import DropReason, Stats


class MetricsObserver:
    """Counts batches and drops."""

    def on_batch(self, part: Part, items: int, pixels: int, seconds_queue: float, seconds_infer: float) -> None:
        telemetry.BATCH_ITEMS.labels(part).observe(items)
        telemetry.BATCH_PIXELS.labels(part).inc(pixels)
        telemetry.STAGE_SECONDS.labels("queue").observe(seconds_queue)
        telemetry.STAGE_SECONDS.labels("infer").observe(seconds_infer)

    def on_drop(self, reason: DropReason) -> None:
        telemetry.DROPPED.labels(reason).inc()


def gauges(stats: Stats) -> telemetry.Gauges:
    """The queue as gauges: name → (help, value by model; "" where it isn't by model)."""
    return {
        "items": ("Items that wait for a network.", {str(part): items for part, items in stats.queue_items.items()}),
        "pixels": (
            "Pixels that wait for a network.",
            {str(part): pixels for part, pixels in stats.queue_pixels.items()},
        ),
        "oldest_seconds": ("How long the oldest of them has waited.", {"": stats.oldest_seconds}),
        "running_seconds": ("How long the current run of a network has taken.", {"": stats.running_seconds}),
    }
