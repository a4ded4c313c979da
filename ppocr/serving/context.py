"""What is known of the request that is being answered, whichever protocol brought it."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field

#: The answer's header (trailing metadata, over gRPC) that names the deployment it came from.
TRACK_HEADER = "x-ppocr-track"


@dataclass(slots=True)
class RequestContext:
    """One request: its route, its deadline (`time.monotonic()` instant or None), its query, and what was done for it."""

    route: str
    deadline: float | None = None
    query: dict[str, str] = field(default_factory=dict)
    content_type: str = ""
    images: int = 0
    lines: int = 0

    def remaining(self) -> float | None:
        """Seconds until the deadline, or None."""
        return None if self.deadline is None else self.deadline - time.monotonic()


_current: ContextVar[RequestContext | None] = ContextVar("ppocr_request", default=None)


def current() -> RequestContext:
    """The context of the running request; a fresh one outside of any."""
    context = _current.get()
    if context is None:
        context = RequestContext(route="direct")
        _current.set(context)
    return context


def enter(context: RequestContext) -> None:
    """Makes `context` the current one for this task and those that it starts."""
    _current.set(context)
