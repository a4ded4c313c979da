"""Requests that come before the ones ahead of them are answered: all are, and few wait at a time."""

from __future__ import annotations

import pytest

from ppocr_limits.connections import ConnectionLimits
from tests.ppocr_limits.test_connections import HEAD, sent, server

pytestmark = pytest.mark.alone


async def test_nothing_is_read_while_requests_wait_behind_others() -> None:
    """Else all of these would wait at the same time, which is more than may."""
    one = HEAD.replace(b"POST", b"GET") + b"A: " + b"a" * 200 + b"\r\n"
    async with server(ConnectionLimits(pipelined=2000)) as port:
        answer = await sent(port, (one + b"\r\n") * 6000 + one + b"Connection: close\r\n\r\n")
        assert answer.count(b"HTTP/1.1 200") == 6001


async def test_too_many_requests_behind_others() -> None:
    slow, quick = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    async with server(ConnectionLimits(pipelined=10)) as port:
        assert b" 503 " in (await sent(port, slow + quick * 20)).split(b"\r\n")[0]
        # What is gone doesn't count.
        last = HEAD + b"Connection: close\r\n\r\n"
        for _ in range(3):
            assert (await sent(port, quick * 9 + last)).count(b"HTTP/1.1 200") == 10
