"""The values of all metrics at an instant."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import REGISTRY

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Samples:
    """`at` is a `time.monotonic()` instant; `values` are by the sample's name and its labels."""

    at: float
    values: Mapping[tuple[str, Labels], float]

    @classmethod
    def here(cls) -> Samples:
        """Of this process."""
        return cls._of(REGISTRY.collect())

    @classmethod
    def parse(cls, text: str) -> Samples:
        """Of a service's GET /metrics."""
        return cls._of(text_string_to_metric_families(text))

    @classmethod
    def _of(cls, families: Iterable[Metric]) -> Samples:
        values = {
            (sample.name, frozenset(sample.labels.items())): float(sample.value)
            for family in families
            for sample in family.samples
        }
        return cls(time.monotonic(), values)

    def named(self, name: str) -> list[tuple[dict[str, str], float]]:
        """All series of a name: their labels and values."""
        return [(dict(labels), value) for (known, labels), value in self.values.items() if known == name]

    def since(self, before: Samples) -> Samples:
        """The values less those of `before`: what counters counted between the two. One that was reset counts from 0."""
        return Samples(
            self.at,
            {
                key: value - before.values[key]
                if value >= before.values.get(key, 0.0) and key in before.values
                else value
                for key, value in self.values.items()
            },
        )
