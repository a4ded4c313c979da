"""KServe's routes beside inference: models, readiness, metadata, metrics. Each is declared here, or it isn't served."""

from __future__ import annotations

from typing import Any, cast

import orjson
from fastapi import Request, Response
from kserve.errors import ModelNotReady
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import metrics_handler
from kserve.protocol.rest.v1_endpoints import V1Endpoints
from kserve.protocol.rest.v2_datamodels import ModelMetadataResponse, ModelReadyResponse
from kserve.protocol.rest.v2_endpoints import V2Endpoints

from ppocr import oip
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.declaration import Declaration, Path
from ppocr.serving.routing import Endpoints
from ppocr.serving.tensor_format import MODEL, VERSION
from ppocr_api.errors import Unavailable
from ppocr_grpc import health, reflection
from ppocr_grpc.methods import GrpcMethod
from ppocr_limits.shown import PREFIX

_READY = "readiness: whether a prediction would be accepted now"
_SERVICE_READY = f"{_READY}: 503 while loading, draining, or without a predictor"

DECLARATION = Declaration(
    "management",
    "Models, readiness, metadata and metrics, as in KServe's protocols V1 and V2.",
    paths=(
        Path("/v1/models", "list of models"),
        Path("/v1/models/{model_name}", _READY),
        Path("/v2", "name, version and extensions of the server"),
        Path("/v2/models", "list of models"),
        Path(MODEL, "inputs and outputs"),
        Path(f"{MODEL}/ready", _READY),
        Path(VERSION, "inputs and outputs of that version; 404 if it doesn't exist"),
        Path(f"{VERSION}/ready", f"{_READY} by that version; 404 if it doesn't exist"),
        Path("/v2/health/live", "liveness: whether the process answers"),
        Path("/v2/health/ready", _SERVICE_READY),
        Path("/healthz", "liveness: whether the process answers and can still compute"),
        Path("/openapi.json", "the OpenAPI description of this API, with request bodies and examples"),
        Path("/metrics", "Prometheus metrics"),
    ),
    grpc=tuple(
        GrpcMethod(oip.SERVICE, method, text, *oip.METHODS[method])
        for method, text in (
            ("ServerLive", "liveness: whether the process answers"),
            ("ServerReady", _SERVICE_READY),
            ("ServerMetadata", "name, version and extensions of the server"),
            ("ModelReady", _READY),
            ("ModelMetadata", "inputs and outputs"),
        )
    ),
)

HEALTH = Declaration("health", "gRPC health checks.", grpc=health.METHODS)
REFLECTION = Declaration("reflection", "gRPC's server reflection.", grpc=reflection.METHODS)


def management(data_plane: TrueDataPlane, repository: ModelRepositoryExtension) -> Endpoints:
    """The routes on `data_plane`: KServe's own handlers, but for versions and liveness."""
    v1, v2 = V1Endpoints(data_plane, repository), V2Endpoints(data_plane, repository)
    ours = _Handlers(data_plane)
    return Endpoints(
        DECLARATION,
        {
            "/v1/models": v1.models,
            "/v1/models/{model_name}": v1.model_ready,
            "/v2": v2.metadata,
            "/v2/models": v2.models,
            MODEL: ours.metadata,
            f"{MODEL}/ready": ours.ready,
            VERSION: ours.version_metadata,
            f"{VERSION}/ready": ours.version_ready,
            "/v2/health/live": v2.live,
            "/v2/health/ready": v2.ready,
            "/healthz": ours.alive,
            "/openapi.json": _openapi,
            "/metrics": metrics_handler,
        },
        {
            "ServerLive": ours.grpc_live,
            "ServerReady": ours.grpc_server_ready,
            "ServerMetadata": ours.grpc_server_metadata,
            "ModelReady": ours.grpc_ready,
            "ModelMetadata": ours.grpc_metadata,
        },
    )


async def _openapi(request: Request) -> Response:
    known, prefix = cast(dict[str, Any], request.app.openapi()), request.headers.get("x-forwarded-prefix", "")
    shown = {**known, "servers": [{"url": prefix}]} if prefix and PREFIX.fullmatch(prefix) else known
    return Response(orjson.dumps(shown), media_type="application/json")  # FastAPI would look at each value of it


class _Handlers:
    """Those that know versions, which KServe's don't."""

    def __init__(self, data_plane: TrueDataPlane) -> None:
        self._data_plane = data_plane

    async def alive(self) -> dict[str, str]:
        status = await self._data_plane.live()
        if status["status"] != "alive":
            raise Unavailable("a network has hung: this process must be started again")
        return status

    async def metadata(self, model_name: str) -> ModelMetadataResponse:
        return ModelMetadataResponse.model_validate(await self._data_plane.model_metadata(model_name))

    async def version_metadata(self, model_name: str, model_version: str) -> ModelMetadataResponse:
        known = await self._data_plane.model_metadata(model_name, model_version)
        return ModelMetadataResponse.model_validate(known)

    async def ready(self, model_name: str) -> ModelReadyResponse:
        return await self.version_ready(model_name, "")

    async def version_ready(self, model_name: str, model_version: str) -> ModelReadyResponse:
        ready = await self._data_plane.model_ready(model_name)
        await self._data_plane.check_version(model_name, model_version)
        if not ready:
            raise ModelNotReady(model_name)
        return ModelReadyResponse(name=model_name, ready=ready)

    async def grpc_live(self, _: Any) -> Any:
        return oip.ServerLiveResponse(live=(await self._data_plane.live())["status"] == "alive")

    async def grpc_server_ready(self, _: Any) -> Any:
        return oip.ServerReadyResponse(ready=await self._data_plane.ready())

    async def grpc_server_metadata(self, _: Any) -> Any:
        return oip.ServerMetadataResponse(**self._data_plane.metadata())

    async def grpc_ready(self, request: Any) -> Any:
        ready = await self._data_plane.model_ready(request.name)
        await self._data_plane.check_version(request.name, request.version)
        return oip.ModelReadyResponse(ready=ready)

    async def grpc_metadata(self, request: Any) -> Any:
        """With `parameters` (field 6), which hold the facts of the model."""
        known = await self._data_plane.model_metadata(request.name, request.version)
        answer = oip.ModelMetadataResponse(**known)
        for key, value in (await self._data_plane.model_parameters(request.name, request.version)).items():
            answer.parameters[key].string_param = value
        return answer
