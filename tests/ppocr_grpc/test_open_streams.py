"""How many streams may be open, and what becomes of a message on one where there is no memory for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from ppocr import oip
from ppocr_grpc import open_streams
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
