"""One request: its deadline, requested version, and whether its client still waits.

It is passed to every stage. Expensive work calls `check` first: work for a client that has
disconnected, or for an answer that would be too late, is dropped before it is started.
"""

from __future__ import annotations

import itertools
import secrets
import time
from dataclasses import dataclass, field

from ppocr_api.errors import Cancelled, DeadlineExceeded, PpocrError

_PROCESS = secrets.token_hex(4)
_NUMBERS = itertools.count()


def _own_share() -> str:
    return f"{_PROCESS}.{next(_NUMBERS)}"


@dataclass(slots=True)
class Call:
    """`deadline` is a `time.monotonic()` instant or None; `version` the bundle version that was asked for, or None.

    `client` is the name of the key that came with it, "" without. `share` is whose work it is (ppocr_limits/shares.py): its own,
    in all processes, or that of all calls of the client. `images` and `lines` count what was read for it, for the access log;
    `words` those that go into the answer.
    `cancelled` is set once, when nobody waits for the answer any more; it may be read from any thread. `hurried` says that the
    client set the deadline itself, and an earlier one than the service would have. `error` is what it was answered with: metrics
    and logs name its status even if its wire format puts errors into a 200. `times`: stages of its images, with
    `time.monotonic()` of begin and end.
    """

    route: str = "direct"
    deadline: float | None = None
    version: str | None = None
    images: int = 0
    lines: int = 0
    cancelled: bool = False
    error: PpocrError | None = None
    times: list[tuple[str, float, float]] = field(default_factory=list)
    hurried: bool = False
    client: str = ""
    share: str = field(default_factory=_own_share)
    words: int = 0

    def came_from(self, client: str) -> None:
        """Notes the name of the client's key."""
        self.client, self.share = client, f"client {client}"

    def remaining(self) -> float | None:
        """Seconds until the deadline, or None."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def check(self) -> None:
        """Raises DeadlineExceeded or Cancelled if the answer isn't needed any more."""
        if self.cancelled:
            raise Cancelled("the client has left")
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise DeadlineExceeded("the request's time limit passed before it was computed")
