"""How many streams may be open, and what becomes of a message on one where there is no memory for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from ppocr import oip
from ppocr.call import Call
from ppocr.serving import grpc_options
from ppocr_grpc import open_streams
from ppocr_limits import places
from tests.ppocr_grpc.test_streams import asked, served, stream


@pytest.fixture(autouse=True)
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections don't end by their age meanwhile."""
    monkeypatch.setattr(grpc_options, "CONNECTION_AGE_MS", 60_000)


async def test_so_many_streams_are_open_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_streams, "MAX_STREAMS", 2)
    async with served(tmp_path) as (_, _, channel):
        opened = [stream(channel)() for _ in range(2)]
        for each in opened:
            await each.write(asked("up")[0])
            assert (await each.read()).infer_response.model_name == "UP"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream(channel)().read()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        opened[0].cancel()
        while True:  # the server learns of it a moment later
            try:
                assert [each async for each in stream(channel)(asked("up"))]
                break
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.01)


async def test_the_stream_that_is_idle_for_longest_makes_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_streams, "MAX_STREAMS", 3)
    monkeypatch.setattr(places, "SLOW_SECONDS", 60.0)
    wait = asyncio.Event()

    async def slow(call: Call) -> str:
        await wait.wait()
        return "SLOW"

    async with served(tmp_path, slow=slow) as (_, server, channel), asyncio.timeout(8):
        server._guard._timeout_seconds = 30
        at_work, idle, later = (stream(channel)() for _ in range(3))
        await at_work.write(asked("slow")[0])
        for each in (idle, later):
            await each.write(asked("up")[0])
            assert (await each.read()).infer_response.model_name == "UP"
        with pytest.raises(grpc.aio.AioRpcError, match="3 streams of ModelStreamInfer are open already"):
            await stream(channel)().read()
        monkeypatch.setattr(places, "SLOW_SECONDS", 0.0)
        assert [each async for each in stream(channel)(asked("up"))]
        with pytest.raises(grpc.aio.AioRpcError, match="nothing happened on the stream") as ended:
            await idle.read()
        assert ended.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        wait.set()
        assert (await at_work.read()).infer_response.model_name == "SLOW"
        await later.write(asked("up")[0])
        assert (await later.read()).infer_response.model_name == "UP"
        for each in (at_work, later):
            each.cancel()


async def test_calls_that_send_nothing_make_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SLOW_SECONDS", 60.0)
    sent = asyncio.Event()

    async def nothing() -> AsyncIterator[bytes]:
        await sent.wait()
        yield b""

    async with served(tmp_path) as (_, server, channel), asyncio.timeout(8):
        server._guard._timeout_seconds = 30
        server._guard._places._most = 3
        call = channel.stream_unary(f"/{oip.SERVICE}/ModelReady")
        silent = [asyncio.ensure_future(call(nothing())) for _ in range(3)]
        while server._guard._places._open < 3:
            await asyncio.sleep(0.01)
        ready = channel.unary_unary(f"/{oip.SERVICE}/ModelReady")
        question = oip.ModelReadyRequest(name="toy").SerializeToString()
        with pytest.raises(grpc.aio.AioRpcError, match="3 calls are open already"):
            await ready(question)
        assert await channel.unary_unary(f"/{oip.SERVICE}/ServerLive")(b"")  # a probe
        monkeypatch.setattr(places, "SLOW_SECONDS", 0.0)
        assert await ready(question)
        ended, others = await asyncio.wait(silent, return_when=asyncio.FIRST_COMPLETED)
        assert ["others wait for its place" in str(each.exception()) for each in ended] == [True]
        sent.set()
        for each in await asyncio.gather(*others, return_exceptions=True):
            assert isinstance(each, grpc.aio.AioRpcError) and each.code() is grpc.StatusCode.NOT_FOUND  # no name came
        while server._guard._places._open:  # the server learns of it a moment later
            await asyncio.sleep(0.01)


async def test_a_stream_whose_answers_are_not_read_makes_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_streams, "MAX_STREAMS", 1)
    monkeypatch.setattr(places, "SLOW_SECONDS", 0.0)
    small = [("grpc.http2.bdp_probe", 0)]  # windows of 64 KiB
    async with (
        served(tmp_path) as (model, server, channel),
        grpc.aio.insecure_channel(f"unix:{tmp_path}/grpc", options=small) as silent,
        asyncio.timeout(8),
    ):
        server._guard._timeout_seconds = 30
        unread = stream(silent)()
        writing = asyncio.create_task(written(unread, 40))
        while len(model.calls) < 5:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert len(model.calls) < 40
        assert [each async for each in stream(channel)(asked("up"))]
        while server._guard._streams._open["ModelStreamInfer"]:
            await asyncio.sleep(0.01)
        unread.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def written(running: Any, count: int) -> None:
    """Sends `count` requests whose answers take 18 KB each."""
    for _ in range(count):
        await running.write(asked("x" * 9_000)[0])


async def test_a_call_whose_answer_is_not_read_makes_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SLOW_SECONDS", 0.0)
    async with served(tmp_path) as (_, server, channel), asyncio.timeout(8):
        server._guard._timeout_seconds = 30
        server._guard._places._most = 1
        _, writer = await asyncio.open_unix_connection(f"{tmp_path}/grpc")
        writer.write(call_without_a_window(f"/{oip.SERVICE}/ServerLive"))
        while not server._guard._places._places._arriving or server._guard._places._open != 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert server._guard._places._open == 1
        question = oip.ModelReadyRequest(name="toy").SerializeToString()
        assert await channel.unary_unary(f"/{oip.SERVICE}/ModelReady")(question)
        while server._guard._places._open:
            await asyncio.sleep(0.01)
        writer.close()


def call_without_a_window(path: str) -> bytes:
    """HTTP/2 of a call with an empty message, whose client lets no byte of an answer come."""

    def frame(kind: int, flags: int, number: int, content: bytes) -> bytes:
        return len(content).to_bytes(3, "big") + bytes((kind, flags)) + number.to_bytes(4, "big") + content

    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "x", "te": "trailers"}
    fields["content-type"] = "application/grpc"
    head = b"".join(
        b"\0" + bytes((len(name),)) + name.encode() + bytes((len(value),)) + value.encode()
        for name, value in fields.items()
    )
    return b"".join(
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            frame(4, 0, 0, b"\0\4\0\0\0\0"),  # SETTINGS_INITIAL_WINDOW_SIZE: 0
            frame(1, 4, 1, head),
            frame(0, 1, 1, bytes(5)),
        )
    )


async def test_a_message_without_room_is_answered_by_its_id(tmp_path: Path) -> None:
    large = oip.ModelInferRequest(model_name="toy", id="large", raw_input_contents=[bytes(15_000)])
    async with served(tmp_path) as (_, server, channel):
        running = stream(channel)()
        with server._options.budget.claim(400_000):
            await running.write(large)
            refused = await running.read()
        assert refused.infer_response.id == "large" and "memory" in refused.error_message
        await running.write(asked("up")[0])
        assert (await running.read()).infer_response.model_name == "UP"
