"""Reads a request's body, whose memory is claimed before a byte of it is taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ppocr.call import Call
from ppocr.serving.routing import Route, Scope
from ppocr_api.errors import DeadlineExceeded, PayloadTooLarge
from ppocr_limits.budget import Claim

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

#: How long a body may pause, in seconds.
PAUSE_SECONDS = 20.0
#: Where no wire format reads the body: requests to load a version, and bodies that nobody asked for.
MAX_SMALL_BODY_BYTES = 1024 * 1024
#: What a body takes while it is read: itself, and the files in it as the decoders get them; and where they are base64 the text.
_FILES, _TEXT = 2, 3


class BodyReader:
    """Reads bodies of at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    async def read(self, route: Route, scope: Scope, receive: Receive, claim: Claim, call: Call) -> bytes | None:
        """The whole body, or None when the client left before it was here. `claim` grows to what it will take.

        Raises PayloadTooLarge and Overloaded, of a length that is declared before anything is read, and DeadlineExceeded.
        """
        reads = route.formats and scope["method"] in route.path.methods
        limit = self._max_bytes if reads else min(self._max_bytes, MAX_SMALL_BODY_BYTES)
        headers = dict(scope["headers"])
        times = _FILES if headers.get(b"content-type", b"").startswith((b"image/", b"application/octet")) else _TEXT
        claimed = _declared(headers, limit)
        claim.resize(claimed * times)
        parts, size = [], 0
        try:
            async with asyncio.timeout(_patience(call)) as patience:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    part: bytes = message.get("body", b"")
                    size += len(part)
                    if size > limit:
                        raise _too_large("more bytes than it may have", limit)
                    if size > claimed:  # its length wasn't declared
                        claim.resize(size * times)
                    parts.append(part)
                    if not message.get("more_body"):
                        return parts[0] if len(parts) == 1 else b"".join(parts)
                    patience.reschedule(asyncio.get_running_loop().time() + _patience(call))
        except TimeoutError:
            late = (call.remaining() or 0) <= 0
            what = "did not arrive within the request's time limit" if late else f"paused for {PAUSE_SECONDS:g} seconds"
            raise DeadlineExceeded(f"the body {what}") from None


def has_body(scope: Scope) -> bool:
    """Whether something follows the request's head."""
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def _patience(call: Call) -> float:
    """Seconds to wait for more of a body."""
    left = call.remaining()
    return PAUSE_SECONDS if left is None else min(left, PAUSE_SECONDS)


def _declared(headers: dict[bytes, bytes], limit: int) -> int:
    """The length that a request declares, 0 where it declares none. Raises PayloadTooLarge."""
    # Python turns no more than 4,300 digits into a number.
    digits = headers.get(b"content-length", b"").lstrip(b"0")
    if not digits.isdigit():
        return 0
    if len(digits) > len(str(limit)):
        raise _too_large("more bytes than it may have", limit)
    if int(digits) > limit:
        raise _too_large(f"{int(digits)} bytes", limit)
    return int(digits)


def _too_large(size: str, limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body has {size}; at most {limit} bytes are allowed")
