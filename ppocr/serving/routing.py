"""The declared HTTP paths of a service: finds the route of a request and its formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from ppocr.call import Call
from ppocr.serving.declaration import Declaration, Path, merged
from ppocr.serving.wire import WireAnswer, WireFormat, WireRequest, plain_error
from ppocr_api.errors import MethodNotAllowed, NotFound, PpocrError

Scope = MutableMapping[str, Any]

#: Methods of requests that send something.
_SENDING = ("POST", "PUT", "PATCH")
_LIST = "curl {url}/openapi.json"


@dataclass(frozen=True)
class Endpoints:
    """Routes that aren't wire formats (health, metrics, files of a page): FastAPI handlers by declared path.

    `grpc` has the handlers of the declared gRPC methods by name: a coroutine that takes the message or, for a stream, a
    function that returns an iterator of answers, from the message or messages and gRPC's context.
    """

    declaration: Declaration
    handlers: Mapping[str, Callable[..., Any]]
    grpc: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """A served path: by `formats`, tried in this order, or by the `handler` of endpoints."""

    path: Path
    tags: tuple[str, ...]
    formats: tuple[WireFormat, ...] = ()
    handler: Callable[..., Any] | None = None


def routes_of(formats: Sequence[WireFormat], endpoints: Sequence[Endpoints]) -> list[Route]:
    """All routes: first one per path of the formats, then those of the endpoints. ValueError for a duplicate path."""
    found: dict[str, Route] = {}
    for each in formats:
        for path in each.declaration.paths:
            known = found.get(path.path)
            if known is None:
                found[path.path] = Route(path, (each.declaration.name,), (each,))
            else:
                tags = (*known.tags, each.declaration.name)
                found[path.path] = Route(merged(known.path, path), tags, (*known.formats, each))
    for group in endpoints:
        for path in group.declaration.paths:
            if path.path in found:
                raise ValueError(f"the path {path.path} is declared twice")
            found[path.path] = Route(path, (group.declaration.name,), handler=group.handlers[path.path])
    return list(found.values())


class RouteTable:
    """Finds the route of a request before its body is read, so that guards can name it and answer in its form. `outside` is the
    format for answers to requests without a route; None: the service's own form. `models` are the names of served models."""

    def __init__(
        self,
        routes: Sequence[Route],
        outside: WireFormat | None = None,
        models: Callable[[], Sequence[str]] = lambda: (),
    ) -> None:
        self.outside = outside
        self._models = models
        self._routes = [(_pattern(route.path.path), route) for route in routes]
        self._alone = _of_one_format(routes)
        self._reads = next((route.path.line for route in routes if route.formats and route.path.line), "")

    def unserved(self, found: tuple[Route, dict[str, str]] | None, error: PpocrError, path: str) -> WireAnswer:
        """`error` about a method or a path that isn't served, in the form of the path's format, of `outside`, or of the one
        format that has paths which begin like this one. /predict alone is a guess, and gets a line that works."""
        known = found[0].formats[0] if found and found[0].formats else self.outside
        first, _, below = path.strip("/").partition("/")
        form = known if found or known or not below else self._alone.get(first)
        return plain_error(error) if form is None else form.render_unrouted(error, int(error.http))

    def not_served(
        self, found: tuple[Route, dict[str, str]] | None, scope: Scope, call: Call, absent: Mapping[str, str]
    ) -> PpocrError:
        """What a request is answered whose method its path doesn't take, or whose path nothing declares.

        `absent` has sentences for patterns of paths. Whoever sends something to a path that takes nothing is shown what does.
        """
        model = next(iter(self._models()), "")
        request = http_request(scope, call, found[1] if found else {})
        reads = request.line(self._reads, {"model_name": model}) if model and scope["method"] in _SENDING else ""
        if found is not None:
            path, takes = found[0].path, ", ".join(found[0].path.methods)
            if reads and not found[0].formats:
                return MethodNotAllowed(f"this route takes {takes}; images are read by: {reads}", takes)
            line = path.line or f"curl {'' if 'GET' in path.methods else '-X POST '}{{url}}{path.path}"
            return MethodNotAllowed(f"this route takes {takes}, as in: {request.line(line)}", takes)
        known = next((said for pattern, said in absent.items() if re.fullmatch(pattern, scope["path"])), None)
        instead = f"images are read by: {reads}" if reads else f"what is served lists: {request.line(_LIST)}"
        return NotFound(known or f"nothing is served at {scope['path'][:100]!r}; {instead}")

    def find(self, scope: Scope) -> tuple[Route, dict[str, str]] | None:
        """The route and the parts of its path; if none has the method, the first of that path."""
        first = None
        for pattern, route in self._routes:
            match = pattern.fullmatch(scope["path"])
            if match is None:
                continue
            if scope["method"] in route.path.methods:
                return route, match.groupdict()
            first = first or (route, match.groupdict())
        return first


def http_request(scope: Scope, call: Call, path: Mapping[str, str], body: bytes = b"") -> WireRequest:
    """An ASGI request as formats see it. If a header or a query parameter is repeated, the last one counts."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    return WireRequest(call, body, headers, query, path)


def error_answer(
    found: tuple[Route, dict[str, str]] | None,
    scope: Scope,
    call: Call,
    error: PpocrError,
    outside: WireFormat | None = None,
) -> WireAnswer:
    """An error outside of a format's own work, in the form of the requested route, or that of `outside` if there is none."""
    if found is None and outside is not None:
        return outside.render_unrouted(error, int(error.http))
    if found is None or not found[0].formats:
        return plain_error(error)
    route, path = found
    return route.formats[0].render_error(http_request(scope, call, path), error)


def _of_one_format(routes: Sequence[Route]) -> dict[str, WireFormat]:
    """The formats by the first part of their paths, if that is one's alone."""
    found: dict[str, set[WireFormat | None]] = {}
    for route in routes:
        found.setdefault(route.path.path.split("/")[1], set()).update(route.formats or (None,))
    return {first: form for first, forms in found.items() for form in forms if form is not None and len(forms) == 1}


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"{(\w+)}", path)
    return re.compile(
        "".join(f"(?P<{part}>[^/:]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    )
