"""The figures of a run: medians over rounds, ratios taken within a round, and their table."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.contestants import Contestant, Pass
from bench.score import Score


@dataclass(frozen=True)
class Row:
    """One contestant over all rounds; latencies over all of them together.

    `rates` are images/s, one a round. `first_rate` is that of the reading after the start, when every shape is new
    to the networks' libraries. Latencies are in seconds, memory in bytes. `cpu` is CPU seconds per image: a busy machine
    changes it far less than it changes the rate.
    """

    name: str
    models: str
    ours: bool
    rates: list[float]
    first_rate: float
    p50: float
    p99: float
    memory: int
    cpu: float
    score: Score
    same_texts: bool
    reported: dict[str, Any]

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def row(contestant: Contestant, passes: Sequence[Pass], score: Score) -> Row:
    """The first of `passes` warmed it up, the others count. `same_texts` says whether all read the same lines."""
    first, *measured = passes
    seconds = [value for one in measured for value in one.seconds]
    return Row(
        name=contestant.name,
        models=contestant.models,
        ours=contestant.ours,
        rates=[one.rate for one in measured],
        first_rate=first.rate,
        p50=quantile(seconds, 0.5),
        p99=quantile(seconds, 0.99),
        memory=max(one.memory for one in passes),
        cpu=statistics.median(one.cpu / len(one.seconds) for one in measured),
        score=score,
        same_texts=all(one.texts == first.texts for one in measured),
        reported=contestant.facts.reported,
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of `values` don't exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def yardstick(rows: Sequence[Row], models: str) -> Row | None:
    """The fastest of the others with these models: what ours is compared with."""
    others = [one for one in rows if one.models == models and not one.ours]
    return max(others, key=lambda one: one.rate, default=None)


def ratio(one: Row, base: Row) -> float:
    """How many times as fast as `base`: the median of the rounds' ratios, so that what slows a whole round cancels."""
    return statistics.median(mine / theirs for mine, theirs in zip(one.rates, base.rates, strict=True))


HEADER = (
    "",
    "models",
    "images/s",
    "ratio",
    "first time",
    "p50 ms",
    "p99 ms",
    "CPU s",
    "peak memory",
    "token F1",
    "character F1",
)


def table(rows: Sequence[Row]) -> str:
    """A Markdown table, rows of one set of models together. The ratio is to the fastest of the others in the set."""
    lines = ["| " + " | ".join(HEADER) + " |", "|---|---|" + "---:|" * (len(HEADER) - 2)]
    for models in dict.fromkeys(one.models for one in rows):
        base = yardstick(rows, models)
        for one in (one for one in rows if one.models == models):
            cells = (
                one.name,
                models,
                f"{one.rate:.2f}",
                f"{ratio(one, base):.2f} x" if base else "",
                f"{one.first_rate:.2f}",
                f"{one.p50 * 1e3:.0f}",
                f"{one.p99 * 1e3:.0f}",
                f"{one.cpu:.2f}",
                f"{one.memory / 2**20:.0f} MiB",
                f"{one.score.tokens:.4f}",
                f"{one.score.characters:.4f}",
            )
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_json(one: Row) -> dict[str, Any]:
    return {**asdict(one), "rate": one.rate}
