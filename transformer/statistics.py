"""Statistics of a model in Triton's form."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from ppocr import telemetry

#: Stages of the pipeline by Triton's names for them: before, in, and after the networks.
_COMPUTE: Final = {
    "compute_input": ("decode", "scale", "crops"),
    "compute_infer": ("orient_page", "det", "orient_lines", "rec"),
    "compute_output": ("boxes", "ctc"),
}


@dataclass
class _Tally:
    count: int = 0
    ns: int = 0

    def add(self, ns: int) -> None:
        self.count += 1
        self.ns += ns

    def shown(self) -> dict[str, int]:
        return {"count": self.count, "ns": self.ns}


@dataclass
class Statistics:
    """Requests that the model was asked, since the service started; those of all wire formats."""

    success: _Tally = field(default_factory=_Tally)
    fail: _Tally = field(default_factory=_Tally)
    last_ms: int = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Counts what is done in the block as one request."""
        started, tally = time.perf_counter_ns(), self.fail
        try:
            yield
            tally = self.success
        finally:
            tally.add(time.perf_counter_ns() - started)
            self.last_ms = time.time_ns() // 1_000_000

    def shown(self, model: str, version: str) -> dict[str, Any]:
        """Triton's JSON of one model's statistics. Requests don't wait in a queue here: all pass that of
        Triton, by whose count perf_analyzer finds the version that was asked, in no time."""
        return {
            "name": model,
            "version": version,
            "last_inference": self.last_ms,
            "inference_count": _images(),
            "execution_count": self.success.count,
            "inference_stats": {
                "success": self.success.shown(),
                "fail": self.fail.shown(),
                "queue": {"count": self.success.count, "ns": 0},
                **_computing(self.success.count),
            },
        }


def _images() -> int:
    samples = [sample for metric in telemetry.IMAGES.collect() for sample in metric.samples]
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))


def _computing(count: int) -> dict[str, dict[str, int]]:
    """Nanoseconds by Triton's part of a computation, since the service started. Triton counts requests here, the same in all
    parts, and perf_analyzer ends if they differ."""
    seconds: dict[str, float] = {}
    for metric in telemetry.STAGE_SECONDS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_sum"):
                seconds[sample.labels["stage"]] = sample.value
    return {
        name: {"count": count, "ns": int(1e9 * sum(seconds.get(stage, 0.0) for stage in stages))}
        for name, stages in _COMPUTE.items()
    }
