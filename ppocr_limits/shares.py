"""Fair scheduling: one caller's bulk requests must not make all others wait.

A *share* is the unit of fairness: a caller with an API key, or else one request. Work is done in the order
of arrival, as long as no share is more than HEAD_START ahead of a waiting one. Then shares that were served least go
first. So ordinary requests, which cost less than that, keep their order, and only large ones have to wait.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)
Share = Hashable

#: How far a share may be ahead of waiting ones before they go first [seconds of work]: a page or two on a CPU.
HEAD_START = 0.25
#: Maximum number of shares to remember; others start at the common level.
MAX_SHARES = 4096


class Shares:
    """Seconds of work that were done for each share. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        # The service that a permanently active share would have received. New shares start with it, so
        # nobody saves up time while it asks nothing, and nobody pays for having used what no other wanted.
        self._level = 0.0
        self._served: dict[Share, float] = {}

    def arrives(self, share: Share) -> None:
        self._served[share] = max(self._level, self.served(share))

    def served(self, share: Share) -> float:
        return self._served.get(share, self._level)

    def serve(self, share: Share, seconds: float, waiting: int) -> None:
        """`seconds` of work are done for `share` while `waiting` shares have work, this one counted."""
        self._served[share] = self.served(share) + seconds
        self._level += seconds / max(1, waiting)
        if len(self._served) > MAX_SHARES:
            ahead = sorted(self._served.items(), key=lambda known: known[1], reverse=True)
            self._served = dict(each for each in ahead[: MAX_SHARES // 2] if each[1] > self._level)


class Line(Generic[T]):
    """Those that wait for one thing. Several lines may count the same shares."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        #: From the one that came first to the last, with the instant; by share the same.
        self.arrived: OrderedDict[T, float] = OrderedDict()
        self._by_share: dict[Share, OrderedDict[T, None]] = {}

    def __bool__(self) -> bool:
        return bool(self.arrived)

    def __iter__(self) -> Iterator[T]:
        return iter(self.arrived)

    @property
    def shares(self) -> int:
        """How many shares have something here."""
        return len(self._by_share)

    def most(self) -> tuple[Share, int]:
        """The share that has most here, and how many."""
        share, items = max(self._by_share.items(), key=lambda each: len(each[1]))
        return share, len(items)

    def add(self, share: Share, item: T, now: float) -> None:
        self._shares.arrives(share)
        self.arrived[item] = now
        self._by_share.setdefault(share, OrderedDict())[item] = None

    def remove(self, share: Share, item: T) -> None:
        """KeyError if it doesn't exist."""
        del self.arrived[item]
        del self._by_share[share][item]
        if not self._by_share[share]:
            del self._by_share[share]

    def next(self, allowed: Callable[[T], bool] = lambda item: True) -> T | None:
        """Whose turn it is; a share whose first item isn't allowed is left out."""
        firsts = [(share, item) for share, items in self._by_share.items() if allowed(item := next(iter(items)))]
        if not firsts:
            return None
        least = min(self._shares.served(share) for share, _ in firsts)
        in_time = (item for share, item in firsts if self._shares.served(share) <= least + HEAD_START)
        return min(in_time, key=lambda item: self.arrived[item])
