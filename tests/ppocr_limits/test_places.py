"""Where all connections are taken, one whose body is slow gives way to the next client."""

from __future__ import annotations

import asyncio

import pytest

from ppocr_limits import places
from ppocr_limits.connections import ConnectionLimits
from tests.ppocr_limits.test_connections import HEAD, sent, server

pytestmark = pytest.mark.alone

LIMITS = ConnectionLimits(connections=5)
LAST = HEAD + b"Connection: close\r\n\r\n"
CONTENT = b"Content-Length: 9\r\n\r\n"


async def test_the_body_that_has_been_arriving_for_longest_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SLOW_SECONDS", 0.3)
    async with server(LIMITS) as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        for _, writer in slow:
            writer.write(HEAD + CONTENT + b"a")
            await asyncio.sleep(0.05)
        assert b" 503 " in (await sent(port, LAST)).split(b"\r\n")[0]
        await asyncio.sleep(0.3)
        assert b"200 OK" in await sent(port, LAST)
        refused = await asyncio.wait_for(slow[0][0].read(), 2)
        assert b" 503 " in refused.split(b"\r\n")[0] and b"retry-after" in refused
        slow[0][1].close()
        for reader, writer in slow[1:]:  # the others go on
            writer.write(b"a" * 8)
            assert b"200 OK" in await asyncio.wait_for(reader.readline(), 2)
            writer.close()


async def test_whoever_is_answered_already_gives_way_first() -> None:
    async with server(LIMITS) as port:
        early = HEAD.replace(b"/x", b"/early") + b"Content-Length: 100000\r\n\r\n"
        lingering = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        for reader, writer in lingering:
            writer.write(early)
            assert b"200 OK" in await asyncio.wait_for(reader.readline(), 2)
        assert b"200 OK" in await sent(port, LAST)
        for _, writer in lingering:
            writer.close()
