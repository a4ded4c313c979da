"""Counts connections from before their TLS handshake: asyncio counts them only after it, and waits a minute for it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any

#: A client has so long for its handshake [seconds].
HANDSHAKE_SECONDS = 5.0


def tls_first(
    make: Callable[..., Any], context: ssl.SSLContext, most: int, seconds: float = HANDSHAKE_SECONDS
) -> Callable[..., asyncio.Protocol]:
    """The protocol for uvicorn's setting `http`, of a server that listens without TLS.

    `make` gives a connection its protocol once its handshake is done. `most` are in their handshakes at a time: one more ends
    the one that has been at it for longest.
    """
    begun: dict[_TlsFirst, None] = {}

    def made(*args: Any, **kwargs: Any) -> asyncio.Protocol:
        return _TlsFirst(lambda: make(*args, **kwargs), context, begun, most, seconds)

    return made


class _TlsFirst(asyncio.Protocol):
    def __init__(
        self,
        make: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext,
        begun: dict[_TlsFirst, None],
        most: int,
        seconds: float,
    ) -> None:
        self._make = make
        self._context = context
        self._begun = begun
        self._most = most
        self._seconds = seconds
        self._early: list[bytes] = []  # what came between the handshake and this protocol's end
        self._over = False  # the client has said its last

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._plain = transport
        if len(self._begun) >= self._most:
            oldest = next(iter(self._begun))
            del self._begun[oldest]
            oldest.abort()
        self._begun[self] = None
        self._task = asyncio.get_running_loop().create_task(self._start(transport))

    def abort(self) -> None:
        self._plain.abort()

    def data_received(self, data: bytes) -> None:
        self._early.append(data)

    def eof_received(self) -> None:
        self._over = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True

    async def _start(self, plain: asyncio.Transport) -> None:
        secure = None
        # An error is the client's: it left, spoke no TLS, or took too long. The connection is closed then.
        with contextlib.suppress(OSError):
            secure = await asyncio.get_running_loop().start_tls(
                plain, self, self._context, server_side=True, ssl_handshake_timeout=self._seconds
            )
        self._begun.pop(self, None)
        if secure is None or self._over:
            plain.abort()
            return
        protocol = self._make()
        protocol.connection_made(secure)
        secure.set_protocol(protocol)
        for data in self._early:
            protocol.data_received(data)
