"""The results of a measurement, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ppocr_capacity.search import Step, best
from ppocr_capacity.sizing import Sizing


@dataclass(frozen=True)
class Track:
    """The result of one track. `steps` are all measured steps; `sizes` are for the required rate, one per part."""

    name: str
    url: str
    steps: Sequence[Step]
    sizes: Sequence[Sizing]

    @property
    def held(self) -> float:
        """Images/s; 0 if no rate holds."""
        found = best(list(self.steps))
        return found.rate if found else 0.0


def line(step: Step) -> str:
    """One step, as it is printed when it has ended."""
    counted = step.counted
    return (
        f"{step.rate:8.2f} images/s  sent {counted.sent:5d}  p50 {_seconds(counted.percentile(0.5))}  "
        f"p95 {_seconds(counted.percentile(0.95))}  {step.fault or 'holds'}"
    )


def table(tracks: Sequence[Track], rate: float, headroom: float) -> str:
    """What each track holds and, if a rate is wanted, what it needs for it."""
    rows = [("track", "answered by", "holds", "lines/s", "p50", "p95")]
    for track in tracks:
        step = best(list(track.steps))
        if step is None:
            rows.append((track.name, "-", "nothing", "-", "-", "-"))
            continue
        counted = step.counted
        by = ", ".join(who for who, _ in counted.by.most_common())
        cells = (f"{step.rate:.2f} images/s", f"{counted.lines / counted.took:.0f}")
        rows.append((track.name, by, *cells, _seconds(counted.percentile(0.5)), _seconds(counted.percentile(0.95))))
    text = _columns(rows)
    sizes = [(track.name, size) for track in tracks for size in track.sizes]
    if not sizes:
        return text
    wanted = [("track", "part", "pods", "images/s a pod", "targetCpuUtilization", "targetQueuePixels")]
    for name, size in sizes:
        cpu, queue = (str(value) if value is not None else "-" for value in (size.cpu_percent, size.queue_pixels))
        wanted.append((name, size.part, str(size.pods), f"{size.images_per_second:.2f}", cpu, queue))
    return f"{text}\n\nfor {rate:g} images/s with {headroom:.0%} to spare:\n{_columns(wanted)}"


def as_json(tracks: Sequence[Track], p95_seconds: float, rate: float, headroom: float) -> str:
    """All figures, for a program."""
    document = {
        "p95_seconds": p95_seconds,
        "rate": rate or None,
        "headroom": headroom,
        "tracks": [
            {
                "name": track.name,
                "url": track.url,
                "images_per_second": track.held,
                "steps": [_step(step) for step in track.steps],
                "sizes": [asdict(size) for size in track.sizes],
            }
            for track in tracks
        ],
    }
    return json.dumps(document, indent=1)


def _step(step: Step) -> dict[str, Any]:
    counted = step.counted
    return {
        "images_per_second": step.rate,
        "holds": not step.fault,
        "fault": step.fault or None,
        "sent": counted.sent,
        "read": len(counted.seconds),
        "refused": counted.refused,
        "failed": dict(counted.failed),
        "answered_by": dict(counted.by),
        "lines_per_second": counted.lines / counted.took if counted.took else 0.0,
        "p50_seconds": counted.percentile(0.5) if counted.seconds else None,
        "p95_seconds": counted.percentile(0.95) if counted.seconds else None,
    }


def _seconds(value: float) -> str:
    return "-" if value == float("inf") else f"{value:.2f} s"


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
