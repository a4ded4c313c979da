"""The memory budget of all requests, in two parts: for bodies, and for decoded images.

The memory of a body is reserved before it is read, and the body is refused if its part is used up; an image waits for the other
part. Because the parts are separate, bodies can't take the memory that images need to be finished, so there is no deadlock.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ppocr_api.errors import Overloaded, PayloadTooLarge

MIB = 1024 * 1024
#: The share of the budget for bodies; the rest is for decoded images and line crops.
FOR_BODIES = 0.4
#: The share of it that is reserved for small bodies, those no larger than it: an eighth.
KEPT = 8
#: How long a body may pause if others need its memory [seconds].
STALLED_SECONDS = 2.0
#: Retry-After if the memory is used up [seconds].
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
        """Bytes currently claimed for bodies."""
        return self._held

    def claim(self, size: int) -> Claim:
        """Reserves `size` bytes for a body. Raises PayloadTooLarge if they can never fit, Overloaded if they don't fit now."""
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
        """Ends stalled bodies, so that there is room for the next try."""
        now = time.monotonic()
        for last, end in list(self._arriving.values()):
            if now - last > STALLED_SECONDS:
                end()


class Claim:
    """Reserved bytes of a budget. As a context manager it is released at the end of the block."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._size = 0

    def resize(self, size: int) -> None:
        """Changes it to `size` bytes. Raises like `Budget.claim`, and then keeps its size."""
        self._budget._move(size - self._size, size)
        self._size = size

    def comes(self, end: Callable[[], None]) -> None:
        """Called when a part of the body has arrived. If it stalls and others need the memory, `end` is called."""
        self._budget._arriving[self] = (time.monotonic(), end)

    def has_come(self) -> None:
        """Called when the body is complete, or not needed any more."""
        self._budget._arriving.pop(self, None)

    def release(self) -> None:
        self.resize(0)

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _mib(size: int) -> str:
    return f"{-(-size // MIB)} MiB"
