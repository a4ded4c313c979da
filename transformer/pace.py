"""Measures how fast images are finished, to estimate how long another one would wait."""

from __future__ import annotations

from collections import deque

#: Number of last answers that the pace is measured over.
_WINDOW = 32
#: With fewer answers since the service was last idle, the pace isn't known: the first answers of a rush come late.
_AT_LEAST = 16
#: Seconds per image until then, unless requests of the last rush timed out: then the pace of that rush.
_AT_FIRST = 0.1


class Pace:
    """Seconds per finished image while images are in progress. All times are of `time.monotonic()`.

    Only images that were read or refused count. Under overload most images end because they time out, which isn't a pace.
    """

    def __init__(self) -> None:
        self._busy = 0.0  # seconds so far with images in progress
        self._began = 0.0  # `_busy` at the end of the last idle period
        self._since: float | None = None  # up to when `_busy` is counted; None while idle
        self._first = _AT_FIRST
        self._answers: deque[tuple[float, int]] = deque(maxlen=_WINDOW)  # `_busy` at each answer, and its images

    def begins(self, now: float) -> None:
        """An image is admitted."""
        if self._since is None:
            self._since, self._began = now, self._busy

    def ends(self, now: float, late: bool = False) -> None:
        """No image is in progress any more. The next ones may be of another kind, so earlier answers no longer count.

        `late`: requests timed out. Then the pace is kept: clients send them again, and all would be started and time out again.
        """
        self._first = max(self.seconds(now), _AT_FIRST) if late else _AT_FIRST
        self._since = None
        self._answers.clear()

    def done(self, images: int, now: float) -> None:
        """`images` were finished."""
        self._advance(now)
        if not self._answers:
            self._answers.append((self._began, 0))
        self._answers.append((self._busy, images))

    def seconds(self, now: float) -> float:
        """Seconds per image. Time in which no image is finished counts as well."""
        self._advance(now)
        images = sum(count for _, count in list(self._answers)[1:])
        begun = self._answers[0][0] if self._answers else self._began
        return max((self._busy - begun) / max(images, _AT_LEAST), self._first if images < _AT_LEAST else 0.0)

    def _advance(self, now: float) -> None:
        if self._since is not None:
            self._busy += now - self._since
            self._since = now
