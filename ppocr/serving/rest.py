"""KServe's REST server on the routes that a service declares, with errors that say what callers may know."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import fastapi
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kserve.constants.constants import FASTAPI_APP_IMPORT_STRING
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, ServerNotLive, ServerNotReady
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import RESTServer
from starlette.exceptions import HTTPException

from ppocr import __version__
from ppocr.listen import joined, listening
from ppocr.serving import wire
from ppocr.serving.access import OPEN, Access
from ppocr.serving.asgi import BODY, CALL, App, RequestGuard
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.management import management
from ppocr.serving.routing import Endpoints, Route, RouteTable, http_request, not_served, routes_of
from ppocr.serving.status import as_ppocr
from ppocr.serving.wire import WireAnswer, WireFormat, plain_error
from ppocr_api.errors import ConfigError, InvalidRequest, PpocrError
from ppocr_limits.budget import Budget
from ppocr_limits.connections import ConnectionLimits, bounded_protocol
from ppocr_limits.tls import Tls, knowing_certificates

TITLE = "ppocr-serving"


@dataclass(frozen=True)
class RestOptions:
    """Where the REST server listens, what it lets in, what it serves beside models, readiness and metrics, and `around` what."""

    host: str
    port: int
    max_body_bytes: int
    timeout_seconds: float
    drain_seconds: float
    budget: Budget
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    track: str = ""
    tls: Tls | None = None
    access: Access = OPEN
    formats: Sequence[WireFormat] = ()
    endpoints: Sequence[Endpoints] = ()
    around: Callable[[App], App] = lambda app: app


class RestServer(RESTServer):  # type: ignore[misc]
    """The HTTP side of a service: `app` answers what `RequestGuard` lets in."""

    def __init__(self, options: RestOptions, data_plane: TrueDataPlane, repository: ModelRepositoryExtension) -> None:
        super().__init__(
            FASTAPI_APP_IMPORT_STRING,
            data_plane,
            repository,
            options.port,
            grace_period=max(1, round(options.drain_seconds)),
        )
        self._options = options
        self.config.host = options.host
        self.config.access_log = False  # RequestGuard writes one line per request
        self._absent = {at: said for group in options.endpoints for at, said in group.declaration.absent.items()}
        self.config.http = bounded_protocol(options.connections)
        self.config.ws = "none"  # no route is a WebSocket's
        groups = [*options.endpoints, management(data_plane, repository)]
        self.routes = routes_of(options.formats, groups)
        self.app = _application([*options.formats, *groups])
        guarded = RequestGuard(
            self.app,
            routes=RouteTable(self.routes),
            budget=options.budget,
            max_body_bytes=options.max_body_bytes,
            timeout_seconds=options.timeout_seconds,
            track=options.track,
            access=options.access,
            absent=self._absent,
        )
        self.config.app = options.around(guarded)
        if options.tls is not None:
            context = options.tls.http()
            self.config.ssl_context_factory = lambda config, default: context
            self.config.http = knowing_certificates(self.config.http)

    def bind(self) -> None:
        """Takes the port; ConfigError where that can't be done."""
        host = listening(self._options.host)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server(
                (host, self._options.port), family=family, dualstack_ipv6=host == "::", backlog=2048
            )
            # asyncio sets this only on sockets that it made itself; without it each answer waits 40 ms for an ACK.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise ConfigError(f"HTTP can't listen on {joined(host, self._options.port)}: {error.strerror}") from error

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
        """Adds the routes and the error handlers."""
        for route in self.routes:
            self.app.add_api_route(
                route.path.path,
                route.handler or self._endpoint(route),
                methods=list(route.path.methods),
                name=route.path.path,
                tags=list(route.tags),
                include_in_schema=route.path.listed,
                openapi_extra=route.path.openapi(),
                responses=route.path.responses(),
                response_class=JSONResponse if route.handler else Response,
            )
        self._add_exception_handlers(self.app)

    def _endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            scope = request.scope
            known = http_request(scope, scope[CALL], request.path_params, scope[BODY])

            async def infer(payload: Any) -> Any:
                return (await self.dataplane.infer(known.model, payload, known.headers))[0]

            return _response(await wire.answer(route.formats, known, infer))

        return endpoint

    def _add_exception_handlers(self, app: FastAPI) -> None:
        async def handle(_: Request, error: Exception) -> Response:
            return _response(plain_error(as_ppocr(error)))

        async def framework(request: Request, error: Exception) -> Response:
            if not isinstance(error, HTTPException):
                return _response(plain_error(InvalidRequest("the request can't be read")))
            if error.status_code == HTTPStatus.NOT_FOUND:
                return _response(plain_error(not_served(None, request.scope, request.scope[CALL], self._absent)))
            known = plain_error(InvalidRequest(error.detail))
            return Response(known.body, error.status_code, {**known.headers, **(error.headers or {})})

        for kind in (PpocrError, InvalidInput, ModelNotFound, ModelNotReady, ServerNotReady, ServerNotLive, Exception):
            app.add_exception_handler(kind, handle)
        app.add_exception_handler(HTTPException, framework)
        app.add_exception_handler(RequestValidationError, framework)


def _application(groups: Sequence[WireFormat | Endpoints]) -> FastAPI:
    """An application without routes of its own: FastAPI's pages would load scripts from elsewhere."""
    declared = [group.declaration for group in groups]
    return fastapi.FastAPI(
        title=TITLE,
        version=__version__,
        description="Reads the text in images.",
        openapi_tags=[{"name": each.name, "description": each.text} for each in declared],
        openapi_url=None,  # declared and served like the other routes
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would go to whatever host the request names
    )


def _response(answer: WireAnswer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))
