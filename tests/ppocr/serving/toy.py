"""A wire format of its own kind, as small as one can be, and the servers that speak it: what a new format's file holds.

POST /toy/{op}    "up", "slow", … → {"code": 0, "said": "UP"}; an error is an HTTP 200 with its own code
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import orjson
from kserve import Model
from kserve.model_repository import ModelRepository
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from ppocr import oip
from ppocr.call import Call
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.grpc_options import GrpcOptions
from ppocr.serving.grpc_server import GrpcServer
from ppocr.serving.rest import RestOptions, RestServer
from ppocr.serving.wire import Infer, WireAnswer, WireFormat, WireRequest
from ppocr_api.errors import InvalidRequest, PpocrError
from ppocr_grpc.methods import GrpcMethod
from ppocr_limits.budget import Budget

Act = Callable[[Call], Awaitable[str]]


class Toy(WireFormat):
    """Text in, JSON out. Over gRPC it takes and gives ModelReady's messages, whose name stands for the text."""

    @property
    def declaration(self) -> Declaration:
        return Declaration(
            "toy",
            "Says it louder.",
            (Path("/toy/{op}", "louder", ("POST",), (Body("text/plain", {"type": "string"}, "up"),)),),
            (GrpcMethod("toy.Toy", "Say", "louder", oip.ModelReadyRequest, oip.ModelReadyResponse),),
        )

    async def answer(self, request: WireRequest, infer: Infer) -> WireAnswer:
        said = request.body.decode() if request.message is None else request.message.name
        if not said:
            raise InvalidRequest("say something")
        result = await infer((said, request.call))
        return WireAnswer(orjson.dumps({"code": 0, "said": result}), message=oip.ModelReadyResponse(ready=True))

    def render_error(self, request: WireRequest, error: PpocrError) -> WireAnswer:
        return WireAnswer(orjson.dumps({"code": int(error.http), "op": request.path.get("op")}), error=error)


class ToyModel(Model):  # type: ignore[misc]
    """Answers with the text in capitals, or does what `acts` say."""

    def __init__(self, acts: dict[str, Act]) -> None:
        super().__init__("toy")
        self.ready = True
        self.calls: list[Call] = []
        self._acts = acts

    async def predict(self, payload: tuple[str, Call], headers: Any = None, response_headers: Any = None) -> str:
        text, call = payload
        self.calls.append(call)
        return await self._acts[text](call) if text in self._acts else text.upper()


def servers(acts: dict[str, Act], *formats: WireFormat, address: str = "") -> tuple[ToyModel, RestServer, GrpcServer]:
    """The model, and both servers around it, not started; a body may have 100 bytes, a request may take 300 ms."""
    registry = ModelRepository()
    model = ToyModel(acts)
    registry.update(model)
    plane = TrueDataPlane(registry, lambda: False)
    repository = ModelRepositoryExtension(registry)
    budget = Budget(1 << 20)
    rest = RestServer(
        RestOptions(
            "127.0.0.1",
            0,
            max_body_bytes=100,
            timeout_seconds=0.3,
            drain_seconds=1,
            budget=budget,
            track="a",
            formats=formats,
        ),
        plane,
        repository,
    )
    rest.create_application()
    over_grpc = GrpcServer(GrpcOptions([address], 20_000, 0.3, budget, track="a", formats=formats), plane, repository)
    return model, rest, over_grpc


@asynccontextmanager
async def started(server: GrpcServer, address: str, grace: float = 0.0) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to `server`, which is stopped at the end, also of a test that fails: one that goes on would fail later tests."""
    await server.start()
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield channel
    finally:
        await server.stop(grace)


async def fail(call: Call) -> str:
    """What nobody expected."""
    raise RuntimeError("a detail of the inside")


async def refuse(call: Call) -> str:
    """What a caller did wrong, as a model finds out."""
    raise InvalidRequest("no")


async def forever(call: Call) -> str:
    """Never ends by itself."""
    await asyncio.Event().wait()
    raise AssertionError
