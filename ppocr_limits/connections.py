"""uvicorn's HTTP protocol with limits on headers, idle connections, pipelined requests and unread answers.

uvicorn with h11 limits only the size of headers, and parses in Python; with httptools it has no limits. So the httptools
protocol is extended here by counting; its parsing is unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ppocr_limits.http_protocol import NoUpgradeProtocol
from ppocr_limits.pipelines import PatientFlow, Pipelines
from ppocr_limits.places import Places
from ppocr_limits.unread_answers import UnreadAnswers

KIB = 1024


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of HTTP connections.

    head_bytes, head_fields, head_seconds: of a request before its body; trailers and chunk headers count too.
        An empty field of four bytes takes 150 in memory.
    connections: open at the same time. One more replaces another (places.py), or is refused if none can be closed.
    linger_bytes, linger_seconds: how much of a body is still read and discarded after an early answer. Otherwise a client
        that is still sending would see a broken connection instead of the answer.
    unread_bytes, unread_seconds: limits for answers that clients don't read (unread_answers.py).
    pipelined: number of pipelined requests (pipelines.py).
    """

    head_bytes: int = 64 * KIB
    head_fields: int = 128
    head_seconds: float = 20.0
    connections: int = 1000
    linger_bytes: int = 100 * KIB * KIB
    linger_seconds: float = 30.0
    unread_bytes: int = 256 * KIB * KIB
    unread_seconds: float = 20.0
    pipelined: int = 8192


def bounded_protocol(limits: ConnectionLimits) -> Callable[..., asyncio.Protocol]:
    """The protocol for uvicorn's setting `http`: a factory that counts all connections of a server together."""
    places = Places()
    unread = UnreadAnswers(limits.unread_bytes, limits.unread_seconds)
    pipelines = Pipelines(limits.pipelined)

    def make(*args: Any, **kwargs: Any) -> _BoundedProtocol:
        return _BoundedProtocol(limits, places, unread, pipelines, *args, **kwargs)

    return make


class _BoundedProtocol(NoUpgradeProtocol):
    def __init__(
        self,
        limits: ConnectionLimits,
        places: Places,
        unread: UnreadAnswers,
        pipelines: Pipelines,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._places = places
        self._unread_answers = unread
        self._pipelines = pipelines
        self._in_head = True
        self._unread = 0  # bytes since the last complete headers or body part
        self._head_size = 0  # bytes of the request's header fields and trailers
        self._head_fields = 0
        self._dropped: int | None = None  # bytes discarded after the answer; None before it
        self._timer: asyncio.TimerHandle | None = None
        self._refusal = "400 Bad Request"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = PatientFlow(transport, self.pipeline)
        if len(self.connections) > self._limits.connections and not self._places.free_one():
            self._refuse("503 Service Unavailable", "too many connections are open", retry=True)
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._places.leaves(self)
        self._unread_answers.remove(self.transport)
        self._pipelines.come(-len(self.pipeline))
        self.pipeline.clear()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_answers.add(self.transport)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_answers.remove(self.transport)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._dropped is not None:
            self._dropped += len(data)
            if self._dropped > self._limits.linger_bytes:
                self.transport.abort()
            return
        self._unread += len(data)
        super().data_received(data)
        if self._unread > self._limits.head_bytes and not self.transport.is_closing():
            self._refuse("431 Request Header Fields Too Large", "the request's head is too large")
        elif self._in_head and self._timer is None and not self.transport.is_closing():
            self._start_timer(self._limits.head_seconds, self._head_is_late)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_size = self._head_fields = 0

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_fields += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._unread = False, 0
        self._stop_timer()
        self._places.arrives(self)
        behind = len(self.pipeline)
        super().on_headers_complete()
        if not self._pipelines.come(len(self.pipeline) - behind):
            self._refusal = "503 Service Unavailable"
            raise ValueError("too many requests wait behind others")
        self.cycle.transport = _Closing(self)  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head, self._unread = True, 0
        self._places.works(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        behind = len(self.pipeline)
        super().on_response_complete()
        self._pipelines.come(len(self.pipeline) - behind)
        if self.transport.is_closing() or self._dropped is not None:
            return
        if self.cycle.response_complete and self.cycle.more_body:
            self.close_after_body()
        elif self.cycle.response_complete:
            self._places.waits(self)

    def abort(self) -> None:
        self.transport.abort()

    def give_way(self) -> None:
        if self.cycle.response_started:
            self.transport.abort()
        else:
            self._refuse("503 Service Unavailable", "the body was slow, and others wait for its connection", retry=True)

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._refusal, msg)

    def close_after_body(self) -> None:
        """Closes the connection when everything is written; until then, what the client sends is discarded."""
        if self._dropped is not None or self.transport.is_closing():
            return
        self._stop_timer()
        self._start_timer(self._limits.linger_seconds, self.transport.abort)
        if self.cycle is not None and self.cycle.more_body and self.transport.can_write_eof():
            self._dropped = 0
            self._places.waits(self)
            try:
                self.transport.write_eof()
            except OSError:  # the client has gone already
                self.transport.abort()
                return
            self.flow.resume_reading()
        else:
            self.transport.close()

    def eof_received(self) -> None:
        super().eof_received()
        if self._dropped is not None:
            self.transport.close()

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self._limits.head_bytes or self._head_fields > self._limits.head_fields:
            self._refusal = "431 Request Header Fields Too Large"
            raise ValueError("the head is too large")  # the parser stops, and `send_400_response` answers

    def _wait_for_head(self) -> None:
        self._places.waits(self)
        self._start_timer(self._limits.head_seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        self._timer = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._start_timer(self._limits.head_seconds, self._head_is_late)  # it waits behind an answer
        else:
            self.transport.abort()

    def _refuse(self, status: str, message: str, retry: bool = False) -> None:
        body = message.encode()
        fields = ["content-type: text/plain; charset=utf-8", f"content-length: {len(body)}", "connection: close"]
        fields += ["retry-after: 1"] if retry else []
        self.transport.write("\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode() + body)
        self.transport.close()

    def _start_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer = self.loop.call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Closing:
    """The transport for a request's cycle: closing it waits until the answer is sent."""

    def __init__(self, protocol: _BoundedProtocol) -> None:
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        self._protocol.transport.write(data)

    def is_closing(self) -> bool:
        return self._protocol.transport.is_closing()

    def close(self) -> None:
        self._protocol.close_after_body()
