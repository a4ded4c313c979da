"""How many images are admitted at a time: more are refused, and so is what could not be read in its time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ppocr_api.errors import Cancelled, DeadlineExceeded, Overloaded, PpocrError, Unavailable
from ppocr_limits.shares import Share
from transformer.admitted import Admitted, too_late
from transformer.pace import Pace

#: The part of a request's time in which its turn has to come: the rest is for its own images.
_OF_ITS_TIME = 0.6
#: The slowest pace that counts, in seconds an image: what takes longer is large, and small ones don't wait for it.
_SLOWEST = 2.5
#: Who leaves after this part of a request's time left because it was up.
_UP = 0.9
#: Ends of a request that say nothing of how fast images are read.
_GIVEN_UP = (Cancelled, DeadlineExceeded, Overloaded, Unavailable)
#: A share may have this many times the places that stay free: so there is always room for somebody else.
_TIMES_FREE = 3
#: How often those inside are checked [seconds].
_CHECK_SECONDS = 0.5


class Admission:
    """At most `limit` images at a time. Refuses at once, and says after how long to try again."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._by_share: Counter[Share] = Counter()
        self._requests: dict[Admitted, None] = {}  # oldest first
        self._pace = Pace()
        self._late = False  # whether time was up for somebody since nothing was last inside
        self._checked = 0.0  # when those inside were last

    @property
    def inside(self) -> int:
        return self._inside

    @contextmanager
    def enter(self, images: int, share: Share = None, seconds: float | None = None) -> Iterator[Admitted]:
        """All of a request's images or none. A request larger than the limit is admitted when nothing else is.

        What is large leaves room for others: a share has _TIMES_FREE times what stays free at most, and one image in any case.
        `seconds` is how long the request may take. One whose turn would come too late is refused as well: else, at too much load,
        all are begun and hardly any is answered in time. Call `answered` of what is yielded when an image is read; read within
        its `unless_given_up`.
        """
        now = time.monotonic()
        self._check(images, share, seconds, self._pace.seconds(now))
        self._pace.begins(now)
        self._inside += images
        self._by_share[share] += images
        request = Admitted(share, images, now, None if seconds is None else now + seconds, self._answered)
        self._requests[request] = None
        done = False
        try:
            yield request
            done = True
        except PpocrError as error:
            # What was wrong is done with, too: else a flood of it would look like a slow service.
            done = not isinstance(error, _GIVEN_UP)
            raise
        finally:
            late = not done and seconds is not None and time.monotonic() - now > _UP * seconds
            self._late = self._late or late
            del self._requests[request]
            self._inside -= images
            self._by_share[share] -= images
            if not self._by_share[share]:
                del self._by_share[share]
            if done and request.left:
                self._pace.done(request.left, time.monotonic())
            if not self._inside:
                self._pace.ends(time.monotonic(), self._late)
                self._late = False

    def _answered(self) -> None:
        now = time.monotonic()
        self._pace.done(1, now)
        if now - self._checked >= _CHECK_SECONDS:
            self._checked = now
            self._give_one_up(now)

    def _give_one_up(self, now: float) -> None:
        """Else, where too much was let in before the pace was known, fair turns would have all of it come too late."""
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
        if not self._inside:
            return
        free = self._limit - self._inside - images
        of_share = self._by_share[share] + images if share is not None else images
        if free < 0 or of_share > max(1, _TIMES_FREE * free):
            raise Overloaded(
                f"{self._inside} images are being read, and at most {self._limit} are at a time"
                + ("" if free < 0 else "; the places that are left are kept for smaller requests"),
                retry_after=self._inside * pace,
            )
        # Turns are fair: of another share as many images go before these as these are.
        before = sum(count if each == share else min(count, images) for each, count in self._by_share.items())
        pace = min(pace, _SLOWEST)
        if seconds is not None and before * pace > _OF_ITS_TIME * seconds:
            raise Overloaded(
                f"{before} images go before it, which would take {before * pace:.0f} s of its {seconds:.0f} s",
                retry_after=before * pace - _OF_ITS_TIME * seconds,
            )
