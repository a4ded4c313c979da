"""One request on its way through a service: until when it may take, which version it named, whether its client still waits.

It is handed on from the protocol's edge to every stage. What costs something asks `check` first: work for a client that has
left, or for an answer that would come too late, is dropped before it is begun.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ppocr_api.errors import Cancelled, DeadlineExceeded, PpocrError


@dataclass(slots=True)
class Call:
    """`deadline` is a `time.monotonic()` instant or None; `version` the bundle version that was asked for, or None.

    `images` and `lines` count what was read for it, for the access log. `cancelled` is set once, when nobody waits for the
    answer any more; it may be read from any thread. `error` is what it was answered with: metrics and logs name its status even
    where its wire format puts errors into a 200. `times`: stages of its images, with `time.monotonic()` of begin and end.
    """

    route: str = "direct"
    deadline: float | None = None
    version: str | None = None
    images: int = 0
    lines: int = 0
    cancelled: bool = False
    error: PpocrError | None = None
    times: list[tuple[str, float, float]] = field(default_factory=list)

    def remaining(self) -> float | None:
        """Seconds until the deadline, or None."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def check(self) -> None:
        """Raises DeadlineExceeded or Cancelled where nothing is to be done for it any more."""
        if self.cancelled:
            raise Cancelled("the client has left")
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise DeadlineExceeded("the request's time limit passed before it was computed")
