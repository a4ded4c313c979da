"""Clients that don't come to the end of their handshakes are bounded, and the others notice nothing of them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from ppocr_limits.connections import ConnectionLimits, bounded_protocol
from ppocr_limits.tls import Tls
from ppocr_limits.tls_first import tls_first
from tests.certificates import Authority

pytestmark = pytest.mark.alone
MOST, SECONDS = 5, 0.5


async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    """Answers with its scheme and the size of the body."""
    size = 0
    while (message := await receive())["type"] == "http.request":
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = f"{scope['scheme']} {size}".encode()
    headers = [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def server(folder: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """Its port, and what a client verifies it with."""
    authority, certificate, key = Authority.made(folder, "one"), folder / "cert.pem", folder / "key.pem"
    authority.sign(certificate, key, "service")
    protocol = tls_first(bounded_protocol(ConnectionLimits()), Tls(str(certificate), str(key)).http(), MOST, SECONDS)
    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, http=protocol, ws="none", log_config=None, lifespan="off"))  # type: ignore[arg-type]
    task = asyncio.create_task(running._serve(sockets=[listener]))
    while not running.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1], ssl.create_default_context(cafile=str(authority.pem))
    finally:
        running.should_exit = True
        await task


async def post(port: int, context: ssl.SSLContext, body: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def test_requests_are_answered(tmp_path: Path) -> None:
    async with server(tmp_path) as (port, context):
        answers = await asyncio.gather(*(post(port, context, b"x" * size) for size in (0, 1, 1_000_000)))
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers] == [b"https 0", b"https 1", b"https 1000000"]


@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01\x02"], ids=["silent", "half a hello"])
async def test_who_doesnt_go_on_gives_way_and_is_closed_in_the_end(tmp_path: Path, first: bytes) -> None:
    async with server(tmp_path) as (port, context):
        stalled = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4 * MOST)]
        for _, writer in stalled:
            writer.write(first)
        began = time.monotonic()
        assert (await post(port, context, b"abc")).endswith(b"https 3")
        assert time.monotonic() - began < SECONDS

        async def closed(reader: asyncio.StreamReader) -> None:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""

        async with asyncio.timeout(SECONDS + 5):
            await asyncio.gather(*(closed(reader) for reader, _ in stalled))
        for _, writer in stalled:
            writer.close()


async def test_who_speaks_no_tls_is_closed(tmp_path: Path) -> None:
    async with server(tmp_path) as (port, context):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"HTTP" not in await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert (await post(port, context, b"")).endswith(b"https 0")
