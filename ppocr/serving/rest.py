"""The HTTP server: KServe's, with the declared routes and with error messages written for callers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kserve.constants.constants import FASTAPI_APP_IMPORT_STRING
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import RESTServer

from ppocr.listen import joined, listening
from ppocr.serving.access import OPEN, Access
from ppocr.serving.asgi import App, RequestGuard
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.management import management
from ppocr.serving.routing import Endpoints, RouteTable
from ppocr.serving.site import ByPort, FormatPort, Site
from ppocr.serving.wire import WireFormat
from ppocr_api.errors import ConfigError
from ppocr_limits.budget import Budget
from ppocr_limits.connections import ConnectionLimits, bounded_protocol
from ppocr_limits.tls import Tls, knowing_certificates
from ppocr_limits.tls_first import tls_first


@dataclass(frozen=True)
class RestOptions:
    """Where the REST server listens, what it lets in, and what it serves beside models, readiness and metrics."""

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
    ports: Sequence[FormatPort] = ()
    around: Callable[[App], App] = lambda app: app


class RestServer(RESTServer):  # type: ignore[misc]
    """The HTTP side of a service: one site for each of its ports."""

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
        self._sites = {options.port: Site(options.formats, groups, data_plane, self._guard)}
        for each in options.ports:
            if each.number in self._sites:
                raise ConfigError(f"port {each.number} is set twice")
            self._sites[each.number] = Site(
                each.formats, each.endpoints, data_plane, self._guard, outside=each.formats[0]
            )
        self.app = self._sites[options.port].app
        self.config.app = options.around(ByPort(self._sites))
        if options.tls is not None:
            protocol = knowing_certificates(self.config.http)
            self.config.http = tls_first(protocol, options.tls.http(), options.connections.connections)

    def _guard(self, app: App, routes: RouteTable) -> RequestGuard:
        options = self._options
        return RequestGuard(
            app,
            routes=routes,
            budget=options.budget,
            max_body_bytes=options.max_body_bytes,
            timeout_seconds=options.timeout_seconds,
            track=options.track,
            access=options.access,
            absent=self._absent,
        )

    def bind(self) -> None:
        """Takes the ports; ConfigError if that can't be done."""
        self._sockets = [self._bound(port) for port in self._sites]

    def _bound(self, port: int) -> socket.socket:
        host = listening(self._options.host)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            bound = socket.create_server((host, port), family=family, dualstack_ipv6=host == "::", backlog=2048)
            # asyncio sets this only on sockets that it made itself; without it each answer waits 40 ms for an ACK.
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise ConfigError(f"HTTP can't listen on {joined(host, port)}: {error.strerror}") from error
        return bound

    async def run(self) -> None:
        """Serves until `stop` is called and all requests are answered."""
        await self._server._serve(sockets=self._sockets)

    @property
    def started(self) -> bool:
        """Whether requests are accepted."""
        return bool(self._server.started)

    def stop(self) -> None:
        """Accepts no more connections."""
        self._server.should_exit = True

    def create_application(self) -> None:
        """Adds the routes and the error handlers."""
        for site in self._sites.values():
            site.create()
