"""Where the service spent its time: the difference of its /metrics before and after a run."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

_SECONDS = 5.0


@dataclass(frozen=True)
class Stage:
    """One stage of `ppocr_stage_seconds`: how often it ran, and the mean of that in milliseconds."""

    name: str
    count: int
    mean_ms: float


#: (address, stage) → seconds so far and how often.
Snapshot = dict[tuple[str, str], tuple[float, float]]


def snapshot(urls: Iterable[str], host_header: str | None) -> Snapshot:
    """Scrapes each address. Raises ValueError if one has no such metrics, with the reason."""
    found: Snapshot = {}
    for url in urls:
        request = urllib.request.Request(url, headers={"Host": host_header} if host_header else {})
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                text = answer.read().decode()
            families = [
                family for family in text_string_to_metric_families(text) if family.name == "ppocr_stage_seconds"
            ]
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise ValueError(f"{url} can't be scraped ({error})") from error
        if not families:
            raise ValueError(f"{url} has no ppocr_stage_seconds")
        samples = [(sample.name, sample.labels["stage"], sample.value) for f in families for sample in f.samples]
        seconds = {stage: value for name, stage, value in samples if name == "ppocr_stage_seconds_sum"}
        counts = {stage: value for name, stage, value in samples if name == "ppocr_stage_seconds_count"}
        found.update({(url, stage): (seconds[stage], counts[stage]) for stage in seconds})
    return found


def difference(before: Snapshot, after: Snapshot) -> list[Stage]:
    """The stages between two snapshots, added up over the addresses. Raises ValueError if a service was restarted."""
    totals: dict[str, tuple[float, float]] = {}
    for key, (seconds, count) in after.items():
        old_seconds, old_count = before.get(key, (0.0, 0.0))
        if count < old_count:
            raise ValueError(f"{key[0]} was restarted during the run")
        total_seconds, total_count = totals.get(key[1], (0.0, 0.0))
        totals[key[1]] = total_seconds + seconds - old_seconds, total_count + count - old_count
    return [
        Stage(name, int(count), seconds / count * 1000) for name, (seconds, count) in sorted(totals.items()) if count
    ]
