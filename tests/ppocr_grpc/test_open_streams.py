"""How many streams may be open, and what becomes of a message on one where there is no memory for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from ppocr import oip
from ppocr.call import Call
from ppocr_grpc import open_streams
from ppocr_limits import places
from tests.ppocr_grpc.test_streams import asked, served, stream


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

    async with served(tmp_path, slow=slow) as (_, server, channel), asyncio.timeout(30):
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

    async with served(tmp_path) as (_, server, channel), asyncio.timeout(30):
        server._guard._timeout_seconds = 30
        server._guard._places._most = 3
        call = channel.stream_unary(f"/{oip.SERVICE}/ModelReady")
        silent = [call(nothing()) for _ in range(3)]
        while server._guard._places._open < 3:
            await asyncio.sleep(0.01)
        ready = channel.unary_unary(f"/{oip.SERVICE}/ModelReady")
        question = oip.ModelReadyRequest(name="toy").SerializeToString()
        with pytest.raises(grpc.aio.AioRpcError, match="3 calls are open already"):
            await ready(question)
        assert await channel.unary_unary(f"/{oip.SERVICE}/ServerLive")(b"")  # a probe
        monkeypatch.setattr(places, "SLOW_SECONDS", 0.0)
        assert await ready(question)
        with pytest.raises(grpc.aio.AioRpcError, match="others wait for its place"):
            await silent[0]
        sent.set()
        await asyncio.gather(*silent, return_exceptions=True)
        while server._guard._places._open:  # the server learns of it a moment later
            await asyncio.sleep(0.01)


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
