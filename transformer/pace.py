"""How fast images are read: what one more would wait for is judged by it."""

from __future__ import annotations

from collections import deque

#: Answers that are looked back at.
_WINDOW = 32
#: Fewer answers than this, since nothing was last inside, are no pace: the first of many that begin together come late.
_AT_LEAST = 16
#: Seconds an image, until then; but where time was up for some of the rush before, its pace.
_AT_FIRST = 0.1


class Pace:
    """Seconds from one image's answer to the next, while some are inside. All times are of `time.monotonic()`.

    Only what was read or refused counts: at too much load most images leave because their time is up, and that is no pace.
    """

    def __init__(self) -> None:
        self._busy = 0.0  # seconds so far in which images were inside
        self._began = 0.0  # of these, before those that are inside
        self._since: float | None = None  # when they began to be, or were counted last
        self._first = _AT_FIRST
        self._answers: deque[tuple[float, int]] = deque(maxlen=_WINDOW)  # busy seconds before each, and its images

    def begins(self, now: float) -> None:
        """An image comes in."""
        if self._since is None:
            self._since, self._began = now, self._busy

    def ends(self, now: float, late: bool = False) -> None:
        """The last one is out. The next may be of another kind, so earlier answers no longer count. `late`: time was up for some.

        They are sent again, and would all be begun once more, and none of them answered.
        """
        self._first = max(self.seconds(now), _AT_FIRST) if late else _AT_FIRST
        self._since = None
        self._answers.clear()

    def done(self, images: int, now: float) -> None:
        """`images` were answered."""
        self._advance(now)
        if not self._answers:
            self._answers.append((self._began, 0))
        self._answers.append((self._busy, images))

    def seconds(self, now: float) -> float:
        """Seconds an image. Time in which none is answered counts as well."""
        self._advance(now)
        images = sum(count for _, count in list(self._answers)[1:])
        begun = self._answers[0][0] if self._answers else self._began
        return max((self._busy - begun) / max(images, _AT_LEAST), self._first if images < _AT_LEAST else 0.0)

    def _advance(self, now: float) -> None:
        if self._since is not None:
            self._busy += now - self._since
            self._since = now
