"""Content-Encoding: bodies in gzip or deflate are unpacked while they arrive, long answers packed if requested.

Decompressed data is passed on in pieces, so the guard behind this counts the decompressed bytes against the body limit, and
nothing beyond it is decompressed.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ppocr_api.errors import InvalidRequest, UnsupportedEncoding

#: Bytes that are unpacked at a time; the event loop continues between two pieces.
PIECE: Final = 1 << 20
#: gzip files may follow each other as one; each costs something, however small it is.
MAX_MEMBERS: Final = 16
#: Shortest answer that is worth packing, in bytes: an ordinary page of text is shorter.
LONG: Final = 16 * 1024
#: Window bits by which zlib packs in the form of an encoding. Those of gzip unpack it too.
_BITS: Final = {"gzip": 31, "deflate": 15}
_ACCEPTED: Final = ", ".join(_BITS)


class ContentEncoding:
    """Middleware: the application sees no Content-Encoding."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower().removeprefix("x-")
        if encoding not in ("", "identity"):
            # A Content-Length counts packed bytes. How many come out shows at the end, as with a chunked body.
            hidden = (b"content-encoding", b"content-length", b"transfer-encoding")
            kept = [each for each in scope["headers"] if each[0] not in hidden]
            scope = {**scope, "headers": [*kept, (b"transfer-encoding", b"chunked")]}
            receive = _Unpacked(encoding, receive).receive
        if wanted := _wanted(headers.get(b"accept-encoding", b"").decode("latin-1")):
            send = _Packing(wanted, send).send
        await self._app(scope, receive, send)


def _wanted(accepted: str) -> str | None:
    """The encoding that an Accept-Encoding asks for, of those that there are."""
    asked = [each.replace(" ", "").lower().partition(";q=") for each in accepted.split(",")]
    allowed = {name for name, _, weight in asked if weight.strip("0.") or not weight}
    return next((name for name in _BITS if name in allowed), None)


class Unpacker:
    """One body's encoding taken off piece by piece. Raises InvalidRequest."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._first = b""
        self._members = 0
        self._inflate: Any = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out of the next bytes, in pieces of PIECE bytes at most."""
        data, self._first = self._first + data, b""
        while data or (self._inflate is not None and not self._inflate.eof):
            if self._inflate is None and not self._begin(data):
                return
            try:
                piece = self._inflate.decompress(data, PIECE)
            except zlib.error as error:
                raise InvalidRequest(f"the body is not {self._encoding} data, or is damaged") from error
            if piece:
                yield piece
            if self._inflate.eof:
                data, self._inflate = self._inflate.unused_data, None
            else:
                data = self._inflate.unconsumed_tail
                if not data and len(piece) < PIECE:
                    return

    def finish(self) -> None:
        """Must be called at the end of the body."""
        if self._inflate is not None or self._first or not self._members:
            raise InvalidRequest(f"the body's {self._encoding} data is truncated")

    def _begin(self, data: bytes) -> bool:
        """Begins a member, once there are bytes enough to tell its form."""
        if len(data) < 2:
            self._first = data
            return False
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise InvalidRequest(f"the body has more than {MAX_MEMBERS} {self._encoding} members")
        bits = _BITS[self._encoding]
        # "deflate" is zlib's form; some clients send the bare one, which has no header.
        if self._encoding == "deflate" and (data[0] & 15 != 8 or int.from_bytes(data[:2], "big") % 31):
            bits = -15
        self._inflate = zlib.decompressobj(bits)
        return True


class _Unpacked:
    """The messages of a request with the encoding taken off."""

    def __init__(self, encoding: str, receive: Receive) -> None:
        self._encoding = encoding
        self._receive = receive
        self._unpacker = Unpacker(encoding)
        self._pieces: Iterator[bytes] = iter(())
        self._arrived = False  # whether all of the body has
        self._given = False

    async def receive(self) -> Message:
        if self._encoding not in _BITS:
            raise UnsupportedEncoding(
                f"content encoding {self._encoding[:60]!r}: send {' or '.join(_BITS)}, or the bytes as they are",
                _ACCEPTED,
            )
        while not self._given:
            piece = next(self._pieces, None)
            if piece is not None:
                await asyncio.sleep(0)
                return {"type": "http.request", "body": piece, "more_body": True}
            if self._arrived:
                self._unpacker.finish()
                self._given = True
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._pieces = self._unpacker.feed(message.get("body", b""))
            self._arrived = not message.get("more_body")
        return await self._receive()


class _Packing:
    """Sends an answer, packed if it is long and comes in one piece."""

    def __init__(self, encoding: str, send: Send) -> None:
        self._encoding = encoding
        self._send = send
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message  # its headers depend on what comes
            return
        start, self._start = self._start, None
        if start is not None:
            body = message.get("body", b"")
            if len(body) >= LONG and not message.get("more_body"):
                body = await asyncio.to_thread(_packed, body, self._encoding)
                message = {**message, "body": body}
                length = str(len(body)).encode()
                kept = [each for each in start["headers"] if each[0].lower() != b"content-length"]
                about = ((b"content-length", length), (b"content-encoding", self._encoding.encode()))
                start = {**start, "headers": [*kept, *about, (b"vary", b"accept-encoding")]}
            await self._send(start)
        await self._send(message)


def _packed(body: bytes, encoding: str) -> bytes:
    packer = zlib.compressobj(1, wbits=_BITS[encoding])  # the fastest level: text shrinks to a fifth by it already
    return packer.compress(body) + packer.flush()
