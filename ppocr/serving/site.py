"""What one port serves over HTTP: the declared routes in an application, behind the guard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import fastapi
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, ServerNotLive, ServerNotReady
from starlette.exceptions import HTTPException

from ppocr import __version__
from ppocr.serving import wire
from ppocr.serving.asgi import BODY, CALL, App, RequestGuard, Send
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.routing import Endpoints, Route, RouteTable, Scope, http_request, routes_of
from ppocr.serving.status import as_ppocr
from ppocr.serving.wire import WireAnswer, WireFormat, plain_error
from ppocr_api.errors import InvalidRequest, PpocrError
from ppocr_limits.bodies import Receive

TITLE = "ppocr-serving"
_KNOWN = (PpocrError, InvalidInput, ModelNotFound, ModelNotReady, ServerNotReady, ServerNotLive, Exception)


@dataclass(frozen=True)
class FormatPort:
    """A further port for clients of one wire format: nothing but `formats` is served there, and a request that is for no route
    is answered in the form of the first."""

    number: int
    formats: Sequence[WireFormat]
    endpoints: Sequence[Endpoints] = ()


class Site:
    """The routes of a port; `guarded` is the ASGI application that answers there."""

    def __init__(
        self,
        formats: Sequence[WireFormat],
        endpoints: Sequence[Endpoints],
        data_plane: TrueDataPlane,
        guard: Callable[[App, RouteTable], RequestGuard],
        outside: WireFormat | None = None,
    ) -> None:
        self._data_plane = data_plane
        self.routes = routes_of(formats, endpoints)
        self.app = _application([*formats, *endpoints])
        self.app.state.data_plane = data_plane  # for endpoints' handlers
        self.guarded = guard(self.app, RouteTable(self.routes, outside, lambda: data_plane.names))

    def create(self) -> None:
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
        for kind in _KNOWN:
            self.app.add_exception_handler(kind, _handle)
        self.app.add_exception_handler(HTTPException, _framework)
        self.app.add_exception_handler(RequestValidationError, _framework)

    def _endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            scope = request.scope
            known = http_request(scope, scope[CALL], request.path_params, scope[BODY])

            async def infer(payload: Any) -> Any:
                return (await self._data_plane.infer(known.model, payload, known.headers))[0]

            return _response(await wire.answer(route.formats, known, infer))

        return endpoint


class ByPort:
    """Sends each request to the site of the port it came in by; to the first for a port without a site of its own."""

    def __init__(self, sites: dict[int, Site]) -> None:
        self._apps = {port: site.guarded for port, site in sites.items()}
        self._first = next(iter(self._apps.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        await self._apps.get(server[1] if server else 0, self._first)(scope, receive, send)


async def _framework(_: Request, error: Exception) -> Response:
    """The guard has found the route, so little is left that the framework may say."""
    if not isinstance(error, HTTPException):
        return _response(plain_error(InvalidRequest("the request can't be read")))
    answer = plain_error(InvalidRequest(error.detail))
    return Response(answer.body, error.status_code, {**answer.headers, **(error.headers or {})})


async def _handle(request: Request, error: Exception) -> Response:
    known = as_ppocr(error)
    line, there = "", getattr(known, "there", {})
    if there:
        asked = http_request(request.scope, request.scope[CALL], request.path_params)
        line = asked.line(f"curl {{url}}{request.scope[CALL].route}", there)
    return _response(plain_error(known, line))


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
