"""Reads a request's body. Its memory is reserved before a byte is read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from ppocr_api.errors import DeadlineExceeded, Overloaded, PayloadTooLarge
from ppocr_limits.budget import RETRY_SECONDS, Claim

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

#: How long a body may pause, in seconds.
PAUSE_SECONDS = 20.0
#: What a body takes while it is read: itself, and the files in it as the decoders get them; and if they are base64 the text.
_FILES, _TEXT = 2, 3
#: Parts are put together to so many bytes: small ones, which come by the hundred, would leave holes in the heap.
_LARGE = 1 << 20


async def read_body(
    headers: Mapping[bytes, bytes], receive: Receive, claim: Claim, limit: int, remaining: Callable[[], float]
) -> bytes | None:
    """The whole body of at most `limit` bytes, or None when the client left before it was here. `claim` grows to what it takes.

    `remaining` says how many seconds the request still has. Raises PayloadTooLarge and Overloaded, of a length that is declared
    before anything is read, and DeadlineExceeded.
    """
    times = _FILES if headers.get(b"content-type", b"").startswith((b"image/", b"application/octet")) else _TEXT
    claimed = _declared(headers, limit)
    claim.resize(claimed * times)
    parts: list[bytes] = []
    small: list[bytes] = []
    size = small_size = 0
    loop = asyncio.get_running_loop()
    made_way = False
    try:
        async with asyncio.timeout(min(remaining(), PAUSE_SECONDS)) as patience:

            def make_way() -> None:
                nonlocal made_way
                made_way = True
                patience.reschedule(loop.time())

            while True:
                claim.comes(make_way)
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise _too_large("more bytes than allowed", limit)
                if size > claimed:  # its length wasn't declared
                    claim.resize(size * times)
                small.append(part)
                small_size += len(part)
                last = not message.get("more_body")
                if last or small_size >= _LARGE:
                    parts.append(small[0] if len(small) == 1 else b"".join(small))
                    small.clear()
                    small_size = 0
                if last:
                    return parts[0] if len(parts) == 1 else b"".join(parts)
                patience.reschedule(loop.time() + min(remaining(), PAUSE_SECONDS))
    except TimeoutError:
        if made_way:
            raise Overloaded("the body paused, and others needed its memory", RETRY_SECONDS) from None
        late = remaining() <= 0
        what = "did not arrive within the request's time limit" if late else f"paused for {PAUSE_SECONDS:g} seconds"
        raise DeadlineExceeded(f"the body {what}") from None
    finally:
        claim.has_come()


def has_body(headers: Mapping[bytes, bytes]) -> bool:
    """Whether something follows the request's head."""
    return b"content-length" in headers or b"transfer-encoding" in headers


def _declared(headers: Mapping[bytes, bytes], limit: int) -> int:
    """The length that a request declares, 0 if it declares none. Raises PayloadTooLarge."""
    # Python turns no more than 4,300 digits into a number.
    digits = headers.get(b"content-length", b"").lstrip(b"0")
    if not digits.isdigit():
        return 0
    if len(digits) > len(str(limit)):
        raise _too_large("more bytes than allowed", limit)
    if int(digits) > limit:
        raise _too_large(f"{int(digits)} bytes", limit)
    return int(digits)


def _too_large(size: str, limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body has {size}; at most {limit} bytes are allowed")
