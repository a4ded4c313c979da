"""Files of certificates that vanish, or turn to garbage, while they are in use: what was there before goes on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
from grpc import aio

from ppocr_api.errors import ConfigError
from ppocr_limits.tls import Tls
from tests.certificates import Authority
from transformer import predictor_channel
from transformer.predictor_channel import Channels, PredictorTls


class Files:
    """A certificate, its key, and the authority's own certificate."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority.made(folder, "one")
        self.certificate, self.key, self.ca = folder / "cert.pem", folder / "key.pem", folder / "ca.pem"
        self.renew()
        self.ca.write_bytes(self.authority.pem.read_bytes())
        self.tls = Tls(str(self.certificate), str(self.key))

    def renew(self) -> None:
        self.authority.sign(self.certificate, self.key, "service")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@contextlib.asynccontextmanager
async def server(files: Files) -> AsyncIterator[int]:
    """The port of a gRPC server that answers `/s/m`."""

    async def answer(message: bytes, context: object) -> bytes:
        return message

    running = aio.server()
    port = running.add_secure_port("127.0.0.1:0", files.tls.grpc())
    handlers = {"m": grpc.unary_unary_rpc_method_handler(answer)}
    running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("s", handlers),))
    await running.start()
    try:
        yield port
    finally:
        await running.stop(None)


#: What becomes of one of the files.
WRONG: dict[str, Callable[[Path], object]] = {
    "garbage": lambda file: file.write_bytes(b"garbage"),
    "empty": lambda file: file.write_bytes(b""),
    "half": lambda file: file.write_bytes(file.read_bytes()[:150]),
    "gone": lambda file: file.unlink(missing_ok=True),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_client_goes_on_with_the_former_files(
    files: Files, wrong: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(predictor_channel, "CHECK_INTERVAL_SECONDS", 0.0)
    async with server(files) as port:
        channels = Channels(f"dns:///localhost:{port}", 1 << 20, PredictorTls(str(files.ca)))
        good = files.ca.read_bytes()
        for _ in range(2):
            assert await channels.current().unary_unary("/s/m")(b"1", timeout=10) == b"1"
            WRONG[wrong](files.ca)
        assert "the former ones stay" in caplog.text and str(files.ca.parent) not in caplog.text
        files.ca.write_bytes(good + b"\n")
        assert await channels.current().unary_unary("/s/m")(b"2", timeout=10) == b"2"
        await channels.close()


def test_a_client_doesnt_start_with_them(files: Files) -> None:
    files.ca.write_bytes(b"garbage")
    with pytest.raises(ConfigError, match="aren't PEM"):
        Channels("dns:///localhost:1", 1 << 20, PredictorTls(str(files.ca)))


@pytest.mark.parametrize("wrong", WRONG)
async def test_servers_go_on_with_the_former_files(files: Files, wrong: str, caplog: pytest.LogCaptureFixture) -> None:
    context = files.tls.http()
    async with server(files) as port:
        for file in (files.certificate, files.key):
            WRONG[wrong](file)
            caplog.clear()
            with caplog.at_level(logging.ERROR):
                for _ in range(5):
                    await asyncio.to_thread(greet, context, files.ca)
                    await called(port, files)
            assert caplog.text.count("the former ones stay") == 2  # of HTTP and of gRPC
            files.renew()
            await asyncio.to_thread(greet, context, files.ca)
            await called(port, files)


async def called(port: int, files: Files) -> None:
    """Over a connection of its own."""
    credentials = grpc.ssl_channel_credentials(files.ca.read_bytes())
    async with aio.secure_channel(
        f"localhost:{port}", credentials, options=(("grpc.use_local_subchannel_pool", 1),)
    ) as channel:
        assert await channel.unary_unary("/s/m")(b"1", timeout=10) == b"1"


def greet(context: ssl.SSLContext, ca: Path) -> None:
    """A handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = ssl.create_default_context(cafile=str(ca)).wrap_bio(to_client, to_server, server_hostname="localhost")
    waiting = [client, server]
    for _ in range(10):
        for side in list(waiting):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
                waiting.remove(side)
    assert not waiting
