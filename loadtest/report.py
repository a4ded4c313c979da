"""The figures of a run, and whether they keep its limits."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from loadtest.options import PROTOCOLS, Limits
from loadtest.stages import Stage
from loadtest.tally import Tally
from loadtest.users import READ, REFUSED

#: Rows of cells, the first one a head.
Table = list[tuple[str, ...]]


@dataclass(frozen=True)
class Row:
    """One protocol: reads that succeeded, that failed, answers to come later, and percentiles of the reads' times.

    Locust keeps times to two figures, so that 1,234 ms is 1,200.
    """

    protocol: str
    read: int
    failed: int
    refused: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class TrackRow:
    """What one version of one track read, as the answers named both; "-" is a service without a track's name."""

    track: str
    version: str
    images: int
    lines: int
    images_per_second: float
    lines_per_second: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Report:
    """All figures of a run. `stages` is None where there are none, and `no_stages` says why."""

    rows: list[Row]
    tracks: list[TrackRow]
    images_per_second: float
    lines_per_second: float
    seconds: float
    stages: list[Stage] | None
    no_stages: str

    def as_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def nothing(cls) -> Report:
        """Of a run that hasn't begun."""
        return cls([], [], 0.0, 0.0, 0.0, None, "the run didn't start")

    @property
    def rates(self) -> str:
        return f"{self.images_per_second:.1f} images/s, {self.lines_per_second:.0f} lines/s in {self.seconds:.1f} s"

    def tables(self) -> dict[str, Table]:
        """The figures as tables with a head each, by the names of the web page's tabs."""
        return {
            "ppocr-protocols": [
                ("protocol", "read", "failed", "refused", "p50 ms", "p95 ms", "p99 ms"),
                *(tuple(_text(value) for value in dataclasses.astuple(row)) for row in self.rows),
            ],
            "ppocr-tracks": [
                ("track", "version", "images", "lines", "images/s", "lines/s", "p50 ms", "p95 ms"),
                *(tuple(_text(value) for value in dataclasses.astuple(row)) for row in self.tracks),
            ],
            "ppocr-stages": [
                ("stage", "times", "mean ms"),
                *((s.name, str(s.count), f"{s.mean_ms:.2f}") for s in self.stages or ()),
            ],
        }

    def __str__(self) -> str:
        protocols, tracks, stages = self.tables().values()
        lines = [*_columns(protocols), "", self.rates, "", *_columns(tracks), ""]
        below = [f"times by stage: none, as {self.no_stages}"] if self.stages is None else _columns(stages)
        return "\n".join([*lines, *below])

    def broken(self, limits: Limits) -> list[str]:
        """A sentence for each limit that isn't kept."""
        read, failed = sum(row.read for row in self.rows), sum(row.failed for row in self.rows)
        refused = sum(row.refused for row in self.rows)
        broken_limits = [] if read else ["nothing was read"]
        broken_limits += [
            f"{row.protocol} sent nothing" for row in self.rows if not row.read + row.failed + row.refused
        ]
        if failed and failed / (read + failed) > limits.fail_ratio:
            broken_limits.append(f"{failed} of {read + failed} reads failed, and {limits.fail_ratio:g} of them may")
        sent = read + failed + refused
        if limits.refused_ratio is not None and refused and refused / sent > limits.refused_ratio:
            broken_limits.append(
                f"{refused} of {sent} requests were refused, and {limits.refused_ratio:g} of them may be"
            )
        for row in self.rows:
            for share, took, limit in ((95, row.p95_ms, limits.p95_ms), (99, row.p99_ms, limits.p99_ms)):
                if limit is not None and took > limit:
                    broken_limits.append(
                        f"{share} % of {row.protocol} took up to {took:g} ms, and {limit:g} is the limit"
                    )
        least = limits.min_images_per_second
        if least is not None and self.images_per_second < least:
            broken_limits.append(f"{self.images_per_second:.1f} images/s, and {least:g} is the least")
        return broken_limits


def report(
    stats: Any, ended: float, mix: dict[str, int], tally: Tally, stages: list[Stage] | None, no_stages: str
) -> Report:
    """The figures of what Locust's `stats` have counted since the start or the last reset, until `ended` (Unix time)."""
    seconds = max(ended - stats.start_time, 0.001)
    rows = []
    for protocol in PROTOCOLS:
        if protocol not in mix:
            continue
        # stats.get() would make the entry, and Locust's table would show a line of zeros.
        reads, refused = stats.entries.get((protocol, READ)), stats.entries.get((protocol, REFUSED))
        p50, p95, p99 = (reads.get_response_time_percentile(share) if reads else 0 for share in (0.5, 0.95, 0.99))
        done, failed = (reads.num_requests, reads.num_failures) if reads else (0, 0)
        rows.append(Row(protocol, done - failed, failed, refused.num_requests if refused else 0, p50, p95, p99))
    tracks = [
        TrackRow(
            who.partition(" ")[0],
            who.partition(" ")[2],
            each.images,
            each.lines,
            round(each.images / seconds, 2),
            round(each.lines / seconds, 1),
            each.percentile(0.5),
            each.percentile(0.95),
        )
        for who, each in sorted(tally.by.items())
    ]
    return Report(rows, tracks, tally.images / seconds, tally.lines / seconds, seconds, stages, no_stages)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _columns(table: Table) -> list[str]:
    """Rows as lines: the first column left, numbers right."""
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    return [
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
