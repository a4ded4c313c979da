"""A client that ends its connection in the middle is nothing that the server logs as its own error."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct

import pytest

from tests.ppocr_limits.test_connections import server


async def test_a_client_that_has_gone_is_no_error_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        # Of so large a body the server stops reading, and doesn't notice the end.
        writer.write(b"POST /early/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + bytes(300_000))
        assert (await reader.readexactly(12)).endswith(b" 200")
        reset = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        writer.transport.abort()
        await asyncio.sleep(0.3)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
