"""Heads, idle connections and unread bodies are bounded, and an ordinary client notices nothing of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from ppocr_limits.connections import KIB, ConnectionLimits, bounded_protocol

pytestmark = pytest.mark.alone

LIMITS = ConnectionLimits(head_seconds=0.3, connections=5, linger_bytes=500_000, linger_seconds=2.0)
LARGE = 20_000_000
HEAD = b"POST /x HTTP/1.1\r\nHost: x\r\n"


async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    """Answers with the number of bytes it was sent, /large with many more; /early at once, and /early/slow in two parts."""
    size = 0
    if not scope["path"].startswith("/early"):
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
    if scope["path"] == "/slow":
        await asyncio.sleep(0.6)
    body = b"x" * LARGE if scope["path"] == "/large" else str(size).encode()
    close = [(b"connection", b"close")] if scope["path"].startswith("/early") else []
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body)), *close]}
    )
    if scope["path"] == "/early/slow":
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(0.1)
        body = b""
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def server(limits: ConnectionLimits = LIMITS) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=bounded_protocol(limits), ws="none", log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    running = uvicorn.Server(config)
    task = asyncio.create_task(running._serve(sockets=[listener]))
    while not running.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        running.should_exit = True
        await task


async def sent(port: int, *parts: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
    except ConnectionError:
        pass  # cut off, as it should be; what was answered can still be read
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def taken(port: int, head: bytes, chunk: bytes, most: int) -> int:
    """How many bytes of an endless request the server takes before it closes."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    size = 0
    try:
        while size < most:
            writer.write(chunk)
            await writer.drain()
            size += len(chunk)
            await asyncio.sleep(0)
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    return size


async def test_requests_as_they_are_sent_every_day() -> None:
    async with server() as port:
        body = b"x" * 300_000
        one = HEAD + b"Content-Length: 300000\r\n\r\n" + body
        chunked = (
            HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + b"493e0\r\n" + body + b"\r\n0\r\n\r\n"
        )
        answer = await sent(port, one, one, chunked)
        assert answer.count(b"HTTP/1.1 200") == 3
        assert answer.count(b"300000") == 3


async def test_many_requests_in_one_piece() -> None:
    async with server() as port:
        answer = await sent(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 4000, HEAD + b"Connection: close\r\n\r\n")
        assert answer.count(b"HTTP/1.1 200") == 4001


async def test_a_head_of_a_cookie_and_a_token() -> None:
    async with server() as port:
        large = b"Cookie: " + b"c" * 20_000 + b"\r\nAuthorization: " + b"t" * 20_000 + b"\r\nConnection: close\r\n\r\n"
        assert b"200 OK" in await sent(port, HEAD + large)


async def test_a_head_that_has_no_end() -> None:
    floods = {
        "one field": (HEAD + b"A: ", b"a" * 65536),
        "many fields": (HEAD, b"a: b\r\n" * 10_000),
        "the path": (b"GET /", b"a" * 65536),
        "trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 10_000),
        "one trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: ", b"a" * 65536),
        "a chunk's extension": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;", b"a" * 65536),
    }
    async with server() as port:
        for name, (head, chunk) in floods.items():
            # What the kernels at both ends buffer counts as sent.
            assert await taken(port, head, chunk, 100_000_000) < 20_000_000, name


async def test_a_head_that_is_too_large_is_told_so() -> None:
    async with server() as port:
        answer = await sent(port, HEAD + b"A: " + b"a" * (70 * KIB) + b"\r\n\r\n")
        assert b" 431 " in answer.split(b"\r\n")[0]
        answer = await sent(port, HEAD + b"a:\r\n" * 200)  # an end isn't waited for
        assert b" 431 " in answer.split(b"\r\n")[0]


async def test_a_connection_that_says_nothing_or_little_is_closed() -> None:
    async with server() as port:
        for said in (b"", HEAD):
            began = time.monotonic()
            assert await sent(port, said) == b""
            assert 0.2 < time.monotonic() - began < 2


async def test_a_slow_answer_outlasts_the_time_for_a_head() -> None:
    async with server() as port:
        answer = await sent(
            port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTT", b"P/1.1\r\nConnection: close\r\n\r\n"
        )
        assert answer.count(b"200 OK") == 2


async def test_one_connection_more_takes_the_place_of_the_oldest_that_is_idle() -> None:
    async with server(ConnectionLimits(head_seconds=30, connections=5)) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        await asyncio.sleep(0.1)
        assert b"200 OK" in await sent(port, HEAD + b"Connection: close\r\n\r\n")
        first = idle[0][0]
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(first.read(), 2) == b""
        for _, writer in idle:
            writer.close()


async def test_where_all_are_busy_one_more_is_refused() -> None:
    async with server() as port:
        slow = [
            asyncio.create_task(sent(port, b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            for _ in range(5)
        ]
        await asyncio.sleep(0.2)
        answer = await sent(port, b"")
        assert b" 503 " in answer.split(b"\r\n")[0]
        assert b"retry-after" in answer
        assert all(b"200 OK" in each for each in await asyncio.gather(*slow))


async def test_an_early_answer_arrives_though_the_body_is_still_coming() -> None:
    async with server() as port:
        early = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n"
        began = time.monotonic()
        answer = await sent(port, early, *[b"x" * 100_000] * 4)
        assert b"200 OK" in answer
        assert time.monotonic() - began < 1.5


async def test_a_body_that_goes_on_after_the_answer_is_cut_off() -> None:
    async with server() as port:
        head = b"POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert await taken(port, head, b"10000\r\n" + b"x" * 65536 + b"\r\n", 500_000_000) < 20_000_000


async def test_nothing_is_upgraded() -> None:
    async with server() as port:
        upgrade = (
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        )
        answer = await sent(port, upgrade + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert b" 101 " not in answer


@asynccontextmanager
async def asked_for_much(port: int) -> AsyncIterator[asyncio.StreamReader]:
    """A connection on which a large answer has begun to come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
    writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b" 200 " in await reader.readline()
    try:
        yield reader
    finally:
        writer.transport.abort()


async def size_of(reader: asyncio.StreamReader, slowly: float = 0.0) -> int:
    """How many bytes still come."""
    size = 0
    with contextlib.suppress(ConnectionError):
        while size < LARGE and (part := await asyncio.wait_for(reader.read(LARGE // 10), 5)):
            size += len(part)
            await asyncio.sleep(slowly)
    return size


async def test_an_answer_that_nobody_reads_is_given_up_and_one_that_is_read_slowly_is_not() -> None:
    async with (
        server(ConnectionLimits(unread_seconds=1.0)) as port,
        asked_for_much(port) as unread,
        asked_for_much(port) as slowly,
    ):
        assert await size_of(slowly, slowly=0.01) >= LARGE
        await asyncio.sleep(3.2)
        assert await size_of(unread) < LARGE


async def test_of_answers_that_are_too_much_together_the_oldest_is_given_up() -> None:
    async with server(ConnectionLimits(unread_bytes=2 * LARGE)) as port, contextlib.AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(asked_for_much(port)) for _ in range(4)]
        await asyncio.sleep(2.2)
        sizes = [await size_of(reader) for reader in readers]
    assert sizes[0] < LARGE <= sizes[-1]
