"""Admission of requests: limits the images in progress, and refuses requests that can't be finished in time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ppocr_api.errors import Cancelled, DeadlineExceeded, Overloaded, PpocrError, Unavailable
from ppocr_limits.shares import Share
from transformer.admitted import Admitted, too_late
from transformer.pace import Pace

#: Maximum wait for other images, as a part of the request's time limit; the rest is for its own images.
_MAX_WAIT = 0.6
#: Upper limit of the pace, in seconds per image: slower images are large ones, and small ones don't wait for them.
_SLOWEST = 2.5
#: A request that ends after this part of its time limit counts as timed out.
_TIMED_OUT = 0.9
#: Errors of requests that weren't finished: they say nothing about the pace.
_UNFINISHED = (Cancelled, DeadlineExceeded, Overloaded, Unavailable)
#: A share may use this many times the places that stay free, so there is always room for others.
_TIMES_FREE = 3
#: How often requests in progress are checked [seconds].
_CHECK_SECONDS = 0.5


class Admission:
    """At most `limit` images at a time. A request beyond that is refused at once, with the time after which to retry."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._requests: dict[Admitted, None] = {}  # oldest first
        self._pace = Pace()
        self._late = False  # whether a request timed out since the service was last idle
        self._checked = 0.0  # time of the last check of the requests in progress

    @property
    def inside(self) -> int:
        """Images of the requests in progress."""
        return sum(request.images for request in self._requests)

    @contextmanager
    def enter(self, images: int, share: Share = None, seconds: float | None = None) -> Iterator[Admitted]:
        """Admits all images of a request, or none. A request larger than the limit is admitted if no other is in progress.

        A large request leaves room for others: a share may use _TIMES_FREE times the places that stay free, but always one.
        `seconds` is the request's time limit. A request whose turn would come too late is refused as well. Otherwise, under
        overload, all requests would be started and hardly any finished in time. The caller calls `answered` of the result for
        each finished image, and works within its `unless_given_up`. Raises Overloaded.
        """
        now = time.monotonic()
        self._check(images, share, seconds, self._pace.seconds(now))
        self._pace.begins(now)
        request = Admitted(share, images, now, None if seconds is None else now + seconds, self._answered)
        self._requests[request] = None
        done = False
        try:
            yield request
            done = True
        except PpocrError as error:
            # An invalid request counts as finished: otherwise a flood of them would look like a slow service.
            done = not isinstance(error, _UNFINISHED)
            raise
        finally:
            late = not done and seconds is not None and time.monotonic() - now > _TIMED_OUT * seconds
            self._late = self._late or late
            del self._requests[request]
            if done and request.left:
                self._pace.done(request.left, time.monotonic())
            if not self._requests:
                self._pace.ends(time.monotonic(), self._late)
                self._late = False

    def _answered(self) -> None:
        now = time.monotonic()
        self._pace.done(1, now)
        if now - self._checked >= _CHECK_SECONDS:
            self._checked = now
            self._give_one_up(now)

    def _give_one_up(self, now: float) -> None:
        """Cancels one request that would be late. If too many were admitted before the pace was known, all would be late."""
        found = too_late(list(self._requests), min(self._pace.seconds(now), _SLOWEST), now)
        if found is not None:
            request, lacking = found
            self._late = True
            request.give_up(
                Overloaded(
                    f"its last {request.left} images would come {lacking:.0f} s too late, as others are being read",
                    retry_after=lacking,
                )
            )

    def _check(self, images: int, share: Share, seconds: float | None, pace: float) -> None:
        if not self._requests:
            return
        by_share: Counter[Share] = Counter()
        for request in self._requests:
            by_share[request.share] += request.images
        inside = by_share.total()
        free = self._limit - inside - images
        of_share = by_share[share] + images if share is not None else images
        if free < 0 or of_share > max(1, _TIMES_FREE * free):
            raise Overloaded(
                f"{inside} images are being read, and at most {self._limit} are at a time"
                + ("" if free < 0 else "; the places that are left are kept for smaller requests"),
                retry_after=inside * pace,
            )
        # Turns are fair: from another share, as many images go first as this request has.
        before = sum(count if each == share else min(count, images) for each, count in by_share.items())
        pace = min(pace, _SLOWEST)
        if seconds is not None and before * pace > _MAX_WAIT * seconds:
            raise Overloaded(
                f"{before} images go before it, which would take {before * pace:.0f} s of its {seconds:.0f} s",
                retry_after=before * pace - _MAX_WAIT * seconds,
            )
