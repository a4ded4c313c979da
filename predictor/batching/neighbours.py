"""Whether other shares (ppocr_limits/shares.py) wait for the batches of one share."""

from __future__ import annotations

import math

from ppocr_limits.shares import Share

#: How long a share counts as present after its last batch, because small requests come one after the other [seconds].
RECENT_SECONDS = 1.0


class Neighbours:
    """Which shares had batches recently. All times are of `time.monotonic()`."""

    def __init__(self) -> None:
        self._last: Share = None
        self._at = self._other_at = -math.inf  # when `_last` had its last batch, and when any other had

    def served(self, share: Share, now: float) -> None:
        """Notes that items of `share` went into a batch."""
        if share != self._last:
            self._last, self._other_at = share, self._at
        self._at = now

    def beside(self, share: Share, now: float) -> bool:
        """Whether any other share had a batch within the last RECENT_SECONDS."""
        return now - (self._other_at if share == self._last else self._at) <= RECENT_SECONDS
