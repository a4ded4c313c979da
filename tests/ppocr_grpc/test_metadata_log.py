"""A caller's metadata that is no text neither fills the log nor keeps the event loop."""

from __future__ import annotations

import logging
import socket

import pytest

from ppocr import oip
from ppocr_grpc import methods  # noqa: F401  (leaves it out)
from tests.services import Service

#: A connection's beginning, and what a call of ServerLive sends in front of its metadata (RFC 9113, RFC 7541).
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
REPEATED = 4_000
PING = b"together"


def text(value: bytes) -> bytes:
    return bytes([len(value)]) + value


def frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def test_a_value_that_is_repeated_ten_thousand_times(service: Service) -> None:
    head = b"\x83\x86\x04" + text(f"/{oip.SERVICE}/ServerLive".encode()) + b"\x01" + text(b"x")
    head += b"\x0f\x10" + text(b"application/grpc") + b"\x00" + text(b"te") + text(b"trailers")
    head += b"\x40" + text(b"k") + text(b"\xbe\xbe")
    blocks = [frame(1, 0, 1, head), *[frame(9, 0, 1, b"\xbe" * REPEATED)] * 5, frame(9, 4, 1, b"\xbe")]
    before = service.log.stat().st_size
    with socket.create_connection(("127.0.0.1", service.grpc_port), 5) as connection:
        connection.settimeout(5)
        connection.sendall(PREFACE + b"".join(blocks) + frame(6, 0, 0, PING))
        answer = b""
        while PING not in answer and (part := connection.recv(1 << 16)):
            answer += part
        assert PING in answer
    assert service.is_ready()
    assert service.log.stat().st_size < before + 4096


def test_what_else_grpc_says_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("grpc._cython.cygrpc")
    log.exception("Invalid encoding on %s", b"\xbe")
    log.exception("Unexpected [%s] raised", "ValueError")
    assert [record.getMessage() for record in caplog.records] == ["Unexpected [ValueError] raised"]
