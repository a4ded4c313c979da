"""Waits for a gRPC message, as long as there is memory for those that are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import RETRY_SECONDS, Claim
from ppocr_limits.memory import READ_SECONDS, Pressure

#: Waits for the bytes of a call's next message.
Read = Callable[[], Coroutine[Any, Any, bytes]]
#: What a message takes: as it came, as it was parsed, and the bytes in it as Python sees them.
_TIMES = 3


async def arrived(read: Read, claim: Claim, pressure: Pressure) -> bytes:
    """The bytes of the message that `read` waits for, or what stands for none. `claim` grows to what it takes.

    gRPC doesn't say how large a message is before all of it is here; so what has begun to arrive is bounded by what the process
    holds, and refused where that comes close to its limit. Raises Overloaded, PayloadTooLarge.
    """
    arriving = asyncio.ensure_future(read())
    try:
        while not (await asyncio.wait((arriving,), timeout=READ_SECONDS))[0]:
            if pressure.high():
                raise Overloaded("the service's memory is spent by the messages that are arriving", RETRY_SECONDS)
        raw = arriving.result()
    finally:
        arriving.cancel()
    if isinstance(raw, bytes):
        claim.resize(len(raw) * _TIMES)
    return raw
