"""gRPC's streams: V2's requests one after the other, health as it changes, reflection of what is served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2  # type: ignore[import-untyped]
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from ppocr import oip
from ppocr.call import Call
from ppocr.serving.declaration import Declaration
from ppocr.serving.grpc_server import GrpcServer
from ppocr.serving.wire import Infer, WireAnswer, WireFormat, WireRequest
from ppocr_grpc import health, open_streams
from ppocr_grpc.methods import GrpcMethod
from ppocr_grpc.reflection import SERVICES
from ppocr_grpc.streams import MAX_CONCURRENT
from ppocr_limits import places
from tests.ppocr.serving.toy import ToyModel, fail, refuse, servers, started

STREAM = f"/{oip.SERVICE}/ModelStreamInfer"


class Stream(WireFormat):
    """Says a request's id louder."""

    @property
    def declaration(self) -> Declaration:
        messages = oip.METHODS["ModelStreamInfer"]
        return Declaration(
            "stream", "", grpc=(GrpcMethod(oip.SERVICE, "ModelStreamInfer", "louder", *messages, stream="both"),)
        )

    async def answer(self, request: WireRequest, infer: Infer) -> WireAnswer:
        said = await infer((request.message.id, request.call))
        return WireAnswer(message=oip.ModelInferResponse(id=request.message.id, model_name=said))


@asynccontextmanager
async def served(tmp_path: Path, **acts: Any) -> AsyncIterator[tuple[ToyModel, GrpcServer, Any]]:
    address = f"unix:{tmp_path}/grpc"
    model, _, server = servers(acts, Stream(), address=address)
    async with started(server, address) as channel:
        yield model, server, channel


def asked(*ids: str) -> list[Any]:
    return [oip.ModelInferRequest(model_name="toy", id=each) for each in ids]


def stream(channel: Any) -> Any:
    return channel.stream_stream(
        STREAM, oip.ModelInferRequest.SerializeToString, oip.ModelStreamInferResponse.FromString
    )


async def test_answers_come_in_the_order_of_requests_and_an_error_ends_nothing(tmp_path: Path) -> None:
    later = asyncio.Event()

    async def slow(call: Call) -> str:
        await later.wait()
        return "SLOW"

    async def quick(call: Call) -> str:
        later.set()
        return "QUICK"

    async with served(tmp_path, slow=slow, quick=quick, refuse=refuse, fail=fail) as (_, _, channel):
        answers = [answer async for answer in stream(channel)(asked("slow", "quick", "refuse", "fail", "last"))]
    assert [answer.infer_response.id for answer in answers] == ["slow", "quick", "refuse", "fail", "last"]
    assert [answer.error_message for answer in answers] == ["", "", "no", "internal error", ""]
    assert answers[0].infer_response.model_name == "SLOW"


async def test_bytes_that_are_no_message_are_an_error_of_their_own(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, _, channel):
        call = channel.stream_stream(STREAM, lambda raw: raw, oip.ModelStreamInferResponse.FromString)
        bad, good = [answer async for answer in call([b"\xff", asked("up")[0].SerializeToString()])]
    assert "the message ends" in bad.error_message
    assert good.infer_response.model_name == "UP"


async def test_a_stream_has_a_few_requests_at_work_and_drops_them_with_its_client(tmp_path: Path) -> None:
    async def wait(call: Call) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async with served(tmp_path, wait=wait) as (model, _, channel):
        running = stream(channel)(asked(*["wait"] * 50))
        reading = asyncio.ensure_future(running.read())
        while len(model.calls) < MAX_CONCURRENT:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert len(model.calls) == MAX_CONCURRENT
        running.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        while not all(call.cancelled for call in model.calls):
            await asyncio.sleep(0.01)
    assert len(model.calls) == MAX_CONCURRENT


async def test_each_request_of_a_stream_has_its_own_time(tmp_path: Path) -> None:
    async def forever(call: Call) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async with served(tmp_path, forever=forever) as (_, _, channel):
        late, good = [answer async for answer in stream(channel)(asked("forever", "up"))]
    assert "time limit" in late.error_message
    assert good.infer_response.model_name == "UP"


async def test_a_stop_ends_streams_that_wait_for_their_client(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, server, channel):
        running = stream(channel)()
        await running.write(asked("up")[0])
        assert (await running.read()).infer_response.model_name == "UP"
        watching = watch(channel, "")
        assert (await watching.read()).status == health_pb2.HealthCheckResponse.SERVING
        async with asyncio.timeout(5):
            await server.stop(30)
        assert await running.read() is grpc.aio.EOF


def watch(channel: Any, service: str) -> Any:
    call = channel.unary_stream(
        f"/{health.SERVICE}/Watch",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    return call(health_pb2.HealthCheckRequest(service=service))


async def test_health_follows_readiness(tmp_path: Path) -> None:
    states = health_pb2.HealthCheckResponse
    async with served(tmp_path) as (model, _, channel):
        ready = [True]

        async def healthy() -> bool:
            return ready[0]

        model.healthy = healthy
        check = channel.unary_unary(
            f"/{health.SERVICE}/Check",
            health_pb2.HealthCheckRequest.SerializeToString,
            health_pb2.HealthCheckResponse.FromString,
        )
        for service in ("", oip.SERVICE, health.SERVICE):
            assert (await check(health_pb2.HealthCheckRequest(service=service))).status == states.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await check(health_pb2.HealthCheckRequest(service="nope"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watching = watch(channel, oip.SERVICE)
        assert (await watching.read()).status == states.SERVING
        assert (await watch(channel, "nope").read()).status == states.SERVICE_UNKNOWN
        ready[0] = False
        assert (await watching.read()).status == states.NOT_SERVING
        ready[0] = True
        assert (await watching.read()).status == states.SERVING
        watching.cancel()


async def test_so_many_watch_and_the_first_makes_way_for_one_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_streams, "MAX_STREAMS", 2)
    monkeypatch.setattr(places, "SLOW_SECONDS", 60.0)
    async with served(tmp_path) as (_, _, channel), asyncio.timeout(10):
        watching = [watch(channel, "") for _ in range(2)]
        for each in watching:
            await each.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await watch(channel, "").read()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        monkeypatch.setattr(places, "SLOW_SECONDS", 0.0)
        assert await watch(channel, "").read()
        for each in (*watching, *watching):
            each.cancel()


@pytest.mark.parametrize("service", SERVICES)
async def test_reflection_describes_what_is_served_by_v2s_own_names(tmp_path: Path, service: str) -> None:
    async with served(tmp_path) as (_, _, channel):
        ask = channel.stream_stream(
            f"/{service}/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        listed, found, unknown = [
            answer
            async for answer in ask(
                [
                    reflection_pb2.ServerReflectionRequest(list_services=""),
                    reflection_pb2.ServerReflectionRequest(file_containing_symbol=oip.SERVICE),
                    reflection_pb2.ServerReflectionRequest(file_containing_symbol="no.Such"),
                ]
            )
        ]
    assert {each.name for each in listed.list_services_response.service} == {oip.SERVICE, health.SERVICE, *SERVICES}
    (raw,) = found.file_descriptor_response.file_descriptor_proto
    file = descriptor_pb2.FileDescriptorProto.FromString(raw)
    assert file.package == "inference"
    methods = {method.name: method for method in file.service[0].method}
    assert {"ServerLive", "ModelMetadata", "ModelStreamInfer"} <= set(methods)
    assert methods["ModelStreamInfer"].client_streaming and methods["ModelStreamInfer"].server_streaming
    assert methods["ModelMetadata"].output_type == ".inference.ModelMetadataResponse"
    assert unknown.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


async def test_a_method_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, _, channel):
        for make in (channel.unary_unary, channel.unary_stream):
            call = make(f"/{oip.SERVICE}/TraceSetting")(b"")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await (call if make == channel.unary_unary else call.read())
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
            assert "TraceSetting" in (caught.value.details() or "")
