"""The memory budget of all requests, in two parts: for bodies, and for decoded images.

A body is claimed before it is read, and refused where its part is spent; an image waits for the other part. The parts are
apart, so bodies that have arrived can't take the memory that an image needs to be read and to go: what waits always moves on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ppocr_api.errors import Overloaded, PayloadTooLarge

MIB = 1024 * 1024
#: The part of the budget that bodies may take; the rest is for decoded images and what is cut out of them.
FOR_BODIES = 0.4
#: The part of it that large bodies leave to those that are no larger than it: an eighth.
KEPT = 8
#: How long a body may pause where others need its memory [seconds].
STALLED_SECONDS = 2.0
#: When to try again where the memory is spent, in seconds: bodies are answered, or time out, after at most some of these.
RETRY_SECONDS = 1.0


class Budget:
    """`capacity` bytes for all requests, of them the part `bodies` for bodies and messages. For one event loop."""

    def __init__(self, capacity: int, bodies: float = FOR_BODIES) -> None:
        self.for_bodies = int(capacity * bodies)
        self.for_images = capacity - self.for_bodies
        self._held = 0
        self._arriving: dict[Claim, tuple[float, Callable[[], None]]] = {}

    @property
    def held(self) -> int:
        """Bytes that bodies hold now."""
        return self._held

    def claim(self, size: int) -> Claim:
        """`size` bytes for a body, to be released. Raises PayloadTooLarge if they never fit, Overloaded where not now."""
        claim = Claim(self)
        claim.resize(size)
        return claim

    def _move(self, by: int, whole: int) -> None:
        if whole > self.for_bodies:
            raise PayloadTooLarge(
                f"the request would take {_mib(whole)} of memory, and the service has {_mib(self.for_bodies)} for bodies: "
                "send fewer or smaller images in one request"
            )
        kept = self.for_bodies // KEPT
        others = self._held + by - whole
        limit = self.for_bodies - kept if whole > kept and others else self.for_bodies
        if by > 0 and self._held + by > limit:
            self._end_stalled()
            raise Overloaded(
                f"the memory for requests is spent: {_mib(self._held)} are held, {_mib(by)} more would be over the limit "
                f"of {_mib(limit)}",
                RETRY_SECONDS,
            )
        self._held += by

    def _end_stalled(self) -> None:
        """What was promised and doesn't come makes way: a moment later there is room for who tries again."""
        now = time.monotonic()
        for last, end in list(self._arriving.values()):
            if now - last > STALLED_SECONDS:
                end()


class Claim:
    """Bytes of a budget. Released once; as a context manager at the end of the block."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._size = 0

    def resize(self, size: int) -> None:
        """Makes it `size` bytes. Raises as `Budget.claim`, and keeps what it had."""
        self._budget._move(size - self._size, size)
        self._size = size

    def comes(self, end: Callable[[], None]) -> None:
        """A part of what it is for has just come. If nothing more does and others need the memory, `end` is called."""
        self._budget._arriving[self] = (time.monotonic(), end)

    def has_come(self) -> None:
        """All of it is here, or nobody waits for it any more."""
        self._budget._arriving.pop(self, None)

    def release(self) -> None:
        self.resize(0)

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _mib(size: int) -> str:
    return f"{-(-size // MIB)} MiB"
