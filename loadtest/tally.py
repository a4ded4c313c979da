"""What Locust doesn't count: images, lines, and who read them. The workers of a distributed run send theirs to the master."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_KEY = "ppocr_tally"


@dataclass
class Readings:
    """Of one track and version: `times` are how many images took how many milliseconds, kept to two figures."""

    images: int = 0
    lines: int = 0
    times: dict[int, int] = field(default_factory=dict)

    def percentile(self, share: float) -> int:
        """Milliseconds within which that share of the images was read."""
        left = share * self.images
        for took, count in sorted(self.times.items()):
            left -= count
            if left <= 0:
                return took
        return max(self.times, default=0)


@dataclass
class Tally:
    """Images that were read as they should be and the lines in them, by "track version" as the answers said them."""

    by: dict[str, Readings] = field(default_factory=dict)

    @property
    def images(self) -> int:
        return sum(each.images for each in self.by.values())

    @property
    def lines(self) -> int:
        return sum(each.lines for each in self.by.values())

    def add(self, who: str, lines: int, seconds: float) -> None:
        known = self.by.setdefault(who, Readings())
        known.images += 1
        known.lines += lines
        took = _two_figures(seconds * 1000)
        known.times[took] = known.times.get(took, 0) + 1

    def reset(self) -> None:
        """Starts counting again, as `--reset-stats` does it with Locust's own figures."""
        self.by = {}

    def send(self, client_id: str, data: dict[str, Any]) -> None:
        """A worker's report: what was counted since the last one."""
        data[_KEY] = [[who, each.images, each.lines, list(each.times.items())] for who, each in self.by.items()]
        self.reset()

    def receive(self, client_id: str, data: dict[str, Any]) -> None:
        """The master's side of it."""
        for who, images, lines, times in data[_KEY]:
            known = self.by.setdefault(who, Readings())
            known.images += images
            known.lines += lines
            for took, count in times:
                known.times[took] = known.times.get(took, 0) + count


def _two_figures(milliseconds: float) -> int:
    """As Locust keeps times: 1,234 is 1,200."""
    whole = round(milliseconds)
    return round(whole, 2 - len(str(whole))) if whole > 99 else whole
