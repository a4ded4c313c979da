"""KServe's REST server with its V1 routes, our V2 inference route, and errors that say what callers may know."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import fastapi
import orjson
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from kserve.constants.constants import FASTAPI_APP_IMPORT_STRING
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, ServerNotLive, ServerNotReady
from kserve.model_server import app as kserve_app
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import RESTServer, metrics_handler
from kserve.protocol.rest.v1_endpoints import V1Endpoints
from kserve.protocol.rest.v2_datamodels import (
    ListModelsResponse,
    ModelMetadataResponse,
    ModelReadyResponse,
    ServerLiveResponse,
    ServerMetadataResponse,
    ServerReadyResponse,
)
from kserve.protocol.rest.v2_endpoints import V2Endpoints
from starlette.exceptions import HTTPException

from ppocr.serving import v2_rest
from ppocr.serving.asgi import RequestGuard
from ppocr.serving.status import as_ppocr, http_answer
from ppocr_api.errors import ConfigError, InvalidRequest, NotFound, PpocrError, Unavailable

#: Adds a service's own routes (the web page, the retired servers' formats); they go before KServe's.
Routes = Callable[[APIRouter], None]


@dataclass(frozen=True)
class RestOptions:
    """Where the REST server listens and what it lets in. `repository` opens load and unload of models."""

    host: str
    port: int
    max_body_bytes: int
    timeout_seconds: float
    drain_seconds: float
    repository: bool
    track: str = ""
    routes: Sequence[Routes] = ()


class RestServer(RESTServer):  # type: ignore[misc]
    """The HTTP side of a service."""

    def __init__(self, options: RestOptions, data_plane: DataPlane, repository: ModelRepositoryExtension) -> None:
        super().__init__(
            FASTAPI_APP_IMPORT_STRING,
            data_plane,
            repository,
            options.port,
            grace_period=max(1, round(options.drain_seconds)),
        )
        self._options = options
        self.config.host = options.host
        self.config.access_log = False  # RequestGuard writes one line a request
        self.config.app = RequestGuard(
            kserve_app,
            max_body_bytes=options.max_body_bytes,
            timeout_seconds=options.timeout_seconds,
            track=options.track,
        )

    def bind(self) -> None:
        """Takes the port; ConfigError where that can't be done."""
        try:
            family = socket.AF_INET6 if ":" in self._options.host else socket.AF_INET
            self._socket = socket.create_server((self._options.host, self._options.port), family=family, backlog=2048)
            # asyncio sets this only on sockets that it made itself; without it each answer waits 40 ms for an ACK.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            where = f"{self._options.host}:{self._options.port}"
            raise ConfigError(f"HTTP can't listen on {where}: {error.strerror}") from error

    async def run(self) -> None:
        """Serves until `stop` is called and all requests are answered."""
        await self._server._serve(sockets=[self._socket])

    @property
    def started(self) -> bool:
        """Whether requests are accepted."""
        return bool(self._server.started)

    def stop(self) -> None:
        """Accepts no more connections."""
        self._server.should_exit = True

    def create_application(self) -> None:
        app = kserve_app
        # KServe answers with a class that FastAPI would rather have replaced; whoever runs the service can't do that.
        warnings.filterwarnings("ignore", message="ORJSONResponse is deprecated")
        own = APIRouter()
        for add in self._options.routes:
            add(own)
        own.add_api_route("/metrics", metrics_handler, methods=["GET"])
        own.add_api_route("/healthz", self._alive, methods=["GET"])
        self._add_v1(own)
        self._add_v2(own)
        app.include_router(own)
        self._add_exception_handlers(app)

    def _add_v1(self, router: APIRouter) -> None:
        """KServe's V1 routes without :explain, which no model here has."""
        kserve = V1Endpoints(self.dataplane, self.model_repository_extension)
        router.add_api_route("/v1/models", kserve.models, methods=["GET"])
        router.add_api_route("/v1/models/{model_name}", kserve.model_ready, methods=["GET"])
        router.add_api_route("/v1/models/{model_name}:predict", kserve.predict, methods=["POST"], response_model=None)

    def _add_v2(self, router: APIRouter) -> None:
        """KServe's V2 routes one by one: its own registration knows no server without load and unload."""
        kserve = V2Endpoints(self.dataplane, self.model_repository_extension)
        gets: dict[str, tuple[Callable[..., Any], type]] = {
            "/v2": (kserve.metadata, ServerMetadataResponse),
            "/v2/health/live": (kserve.live, ServerLiveResponse),
            "/v2/health/ready": (kserve.ready, ServerReadyResponse),
            "/v2/models": (kserve.models, ListModelsResponse),
            "/v2/models/{model_name}": (kserve.model_metadata, ModelMetadataResponse),
            "/v2/models/{model_name}/ready": (kserve.model_ready, ModelReadyResponse),
        }
        for path, (answer, model) in gets.items():
            router.add_api_route(path, answer, methods=["GET"], response_model=model)
        version = "/v2/models/{model_name}/versions/{model_version}"
        router.add_api_route(version, self._version, methods=["GET"], response_model=ModelMetadataResponse)
        router.add_api_route(
            f"{version}/ready", self._version_ready, methods=["GET"], response_model=ModelReadyResponse
        )
        for path in ("/v2/models/{model_name}/infer", f"{version}/infer"):
            router.add_api_route(path, self._infer, methods=["POST"], response_model=None)
        if self._options.repository:
            for verb, act in (("load", kserve.load), ("unload", kserve.unload)):
                router.add_api_route(f"/v2/repository/models/{{model_name}}/{verb}", act, methods=["POST"])

    async def _alive(self) -> dict[str, str]:
        status: dict[str, str] = await self.dataplane.live()
        if status["status"] != "alive":
            raise Unavailable("a network has hung: this process must be started again")
        return status

    async def _version(self, model_name: str, model_version: str) -> dict[str, Any]:
        """KServe's routes know no versions."""
        known: dict[str, Any] = await self.dataplane.model_metadata(model_name, model_version)
        return {"platform": "", **known, "versions": [model_version]}

    async def _version_ready(self, model_name: str, model_version: str) -> ModelReadyResponse:
        ready = await self.dataplane.model_ready(model_name)
        await self.dataplane.check_version(model_name, model_version)
        if not ready:
            raise ModelNotReady(model_name)
        return ModelReadyResponse(name=model_name, ready=ready)

    async def _infer(self, request: Request, model_name: str, model_version: str = "") -> Response:
        tensors = v2_rest.decode(await request.body(), request.headers, model_name, model_version)
        response, _ = await self.dataplane.infer(model_name, tensors, headers=dict(request.headers))
        body, headers = v2_rest.encode(response, tensors)
        return Response(body, headers=headers)

    def _add_exception_handlers(self, app: fastapi.FastAPI) -> None:
        async def handle(_: Request, error: Exception) -> Response:
            status, content, headers = http_answer(as_ppocr(error))
            return _json(content, status, headers)

        async def framework(request: Request, error: Exception) -> Response:
            if isinstance(error, HTTPException):
                gone = error.status_code == HTTPStatus.NOT_FOUND
                known: PpocrError = NotFound("no such route") if gone else InvalidRequest(error.detail)
                _, content, headers = http_answer(known)
                return _json(content, error.status_code, {**headers, **(error.headers or {})})
            return await handle(request, InvalidRequest("the request can't be read"))

        for kind in (PpocrError, InvalidInput, ModelNotFound, ModelNotReady, ServerNotReady, ServerNotLive, Exception):
            app.add_exception_handler(kind, handle)
        app.add_exception_handler(HTTPException, framework)
        app.add_exception_handler(RequestValidationError, framework)


def _json(content: dict[str, str], status: int, headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps(content), status, dict(headers), "application/json")
