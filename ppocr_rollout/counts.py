"""Request counts of a track by result, and their latencies: Prometheus counters, and their differences."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Counts:
    """`good`: successful. `failed`: an error of the service, or refused because of overload. `declined`:
    an error of the caller (4xx), or the caller disconnected. `buckets`: upper bound in seconds → requests of all
    three kinds that took at most that long, as in Prometheus; math.inf is the last.
    """

    good: float = 0
    failed: float = 0
    declined: float = 0
    buckets: Mapping[float, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return self.good + self.failed + self.declined

    @property
    def success(self) -> float | None:
        """The share that didn't fail; None without a request."""
        return 1 - self.failed / self.total if self.total else None

    def __add__(self, other: Counts) -> Counts:
        bounds = self.buckets.keys() | other.buckets.keys()
        return Counts(
            self.good + other.good,
            self.failed + other.failed,
            self.declined + other.declined,
            {bound: self.buckets.get(bound, 0) + other.buckets.get(bound, 0) for bound in sorted(bounds)},
        )

    def since(self, before: Counts) -> Counts:
        """What was counted after `before`. A counter never falls: if one has, the process was restarted and began at 0."""
        falls = (
            self.good < before.good
            or self.failed < before.failed
            or self.declined < before.declined
            or any(self.buckets.get(bound, 0) < count for bound, count in before.buckets.items())
        )
        if falls:
            return self
        return Counts(
            self.good - before.good,
            self.failed - before.failed,
            self.declined - before.declined,
            {bound: count - before.buckets.get(bound, 0) for bound, count in self.buckets.items()},
        )

    def quantile(self, share: float) -> float | None:
        """Seconds within which `share` (above 0) of the requests were answered; None without a request.

        As Prometheus' histogram_quantile: even within a bucket, from 0 in the first, and the highest finite bound where it
        lies above that.
        """
        bounds = sorted(self.buckets)
        count = self.buckets[bounds[-1]] if bounds else 0
        if count <= 0:
            return None
        rank = share * count
        below, low = 0.0, 0.0
        for bound in bounds:
            if self.buckets[bound] >= rank:
                if math.isinf(bound):
                    return low
                return low + (bound - low) * (rank - below) / (self.buckets[bound] - below)
            below, low = self.buckets[bound], bound
        return low


class Window:
    """Counts of several processes from its first sample on, through restarts, and processes that come and go."""

    def __init__(self) -> None:
        self._last: dict[Hashable, Counts] = {}
        self.counts = Counts()

    def add(self, samples: Mapping[Hashable, Counts], born: frozenset[Hashable] = frozenset()) -> None:
        """Adds what each process has counted since its last sample. All of it, if it is `born` since the first one."""
        for process, now in samples.items():
            if process in self._last:
                self.counts += now.since(self._last[process])
            elif process in born:
                self.counts += now
            self._last[process] = now

    def next(self) -> Window:
        """A window that begins where this one ends."""
        following = Window()
        following._last = dict(self._last)
        return following
