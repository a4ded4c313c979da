"""Triton's calls in addition to V2's, over HTTP and gRPC."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from google.protobuf import json_format  # type: ignore[import-untyped]

from ppocr import oip
from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.json_body import member, parse_json
from ppocr.serving.routing import Endpoints
from ppocr.serving.tensor_format import MODEL, VERSION
from ppocr_api.errors import InvalidRequest, NotFound
from ppocr_grpc.methods import GrpcMethod
from transformer.pre_post import OcrTransformer
from transformer.triton.config import config_of

_CONFIG, _STATISTICS = (
    "the model configuration in Triton's form",
    "request counts and times since the start, in Triton's form",
)
_INDEX = "the model with its version and state (loading and unloading is done at the predictor)"
_READY_ONLY = {"type": "object", "properties": {"ready": {"type": "boolean"}}}
_TRACING = "tracing isn't there: GET /metrics has the time of each stage"
_LOGGING = "logging can't be changed while the service runs: --log_level and --log_format set it"
_MEMORY = "shared memory isn't there: send the image's bytes in the request"
_LOADING = "models can't be loaded or unloaded here, but at the predictor with --repository_api"

DECLARATION: Final = Declaration(
    "triton",
    "Calls that Triton's clients and perf_analyzer make in addition to V2's.",
    paths=(
        Path(f"{MODEL}/config", _CONFIG),
        Path(f"{VERSION}/config", f"{_CONFIG}, for that version; 404 if it doesn't exist"),
        Path("/v2/models/stats", _STATISTICS),
        Path(f"{MODEL}/stats", _STATISTICS),
        Path(f"{VERSION}/stats", f"{_STATISTICS}, for that version; 404 if it doesn't exist"),
        Path("/v2/repository/index", _INDEX, ("POST",), (Body("application/json", _READY_ONLY, {"ready": True}),)),
    ),
    grpc=tuple(
        GrpcMethod(oip.SERVICE, method, text, *oip.METHODS[method])
        for method, text in (("ModelConfig", _CONFIG), ("ModelStatistics", _STATISTICS), ("RepositoryIndex", _INDEX))
    ),
    extensions=("model_configuration", "statistics"),
    absent={
        "TraceSetting": _TRACING,
        r"/v2/(models/[^/]+/)?trace/setting": _TRACING,
        "LogSettings": _LOGGING,
        "/v2/logging": _LOGGING,
        r"/v2/(system|cuda)sharedmemory/.*": _MEMORY,
        **{
            f"{kind}SharedMemory{verb}": _MEMORY
            for kind in ("System", "Cuda")
            for verb in ("Status", "Register", "Unregister")
        },
        r"/v2/repository/models/[^/]+/(un)?load": _LOADING,
        "RepositoryModelLoad": _LOADING,
        "RepositoryModelUnload": _LOADING,
    },
)


def triton(model: OcrTransformer) -> Endpoints:
    """The calls for `model`."""
    calls = _Calls(model)
    return Endpoints(
        DECLARATION,
        {
            f"{MODEL}/config": calls.config,
            f"{VERSION}/config": calls.config,
            "/v2/models/stats": calls.all_statistics,
            f"{MODEL}/stats": calls.statistics,
            f"{VERSION}/stats": calls.statistics,
            "/v2/repository/index": calls.index,
        },
        {
            "ModelConfig": calls.grpc_config,
            "ModelStatistics": calls.grpc_statistics,
            "RepositoryIndex": calls.grpc_index,
        },
    )


class _Calls:
    def __init__(self, model: OcrTransformer) -> None:
        self._model = model

    async def config(self, model_name: str, model_version: str = "") -> dict[str, Any]:
        await self._check(model_name, model_version)
        return config_of(model_name)

    async def all_statistics(self) -> dict[str, Any]:
        return await self.statistics(self._model.name)

    async def statistics(self, model_name: str, model_version: str = "") -> dict[str, Any]:
        await self._check(model_name, model_version)
        return {"model_stats": [self._model.statistics.shown(model_name, model_version or await self._version())]}

    async def index(self, request: Request) -> list[dict[str, str]]:
        raw = await request.body()
        body = parse_json(raw) if raw.strip() else {}
        if not isinstance(body, dict):
            raise InvalidRequest("the request must be a JSON object, or empty")
        return await self._index(member(body, "ready", bool, False))

    async def grpc_config(self, request: Any) -> Any:
        config = await self.config(request.name, request.version)
        return json_format.ParseDict({"config": config}, oip.ModelConfigResponse())

    async def grpc_statistics(self, request: Any) -> Any:
        answer = await self.statistics(request.name or self._model.name, request.version)
        return json_format.ParseDict(answer, oip.ModelStatisticsResponse())

    async def grpc_index(self, request: Any) -> Any:
        return json_format.ParseDict({"models": await self._index(request.ready)}, oip.RepositoryIndexResponse())

    async def _check(self, name: str, version: str) -> None:
        if name != self._model.name:
            raise NotFound(f"no model is called {name[:100]!r}; served is: {self._model.name}")
        if version:
            await self._model.check_version(version)

    async def _version(self) -> str:
        return next(iter(await self._model.versions()), "")

    async def _index(self, ready: bool) -> list[dict[str, str]]:
        is_ready = await self._model.healthy()
        if ready and not is_ready:
            return []
        state = {"state": "READY", "reason": ""}
        if not is_ready:
            state = {"state": "UNAVAILABLE", "reason": "the predictor can't be reached or is loading"}
        return [{"name": self._model.name, "version": await self._version(), **state}]
