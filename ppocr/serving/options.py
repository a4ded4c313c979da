"""Converts the settings of a service to the options of its servers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ppocr.listen import ListenSettings, joined, listening
from ppocr_api.errors import ConfigError
from ppocr_limits.connections import ConnectionLimits

if TYPE_CHECKING:
    from ppocr.serving.asgi import App
    from ppocr.serving.grpc_options import GrpcOptions
    from ppocr.serving.rest import RestOptions
    from ppocr.serving.routing import Endpoints
    from ppocr.serving.server import Lifecycle
    from ppocr.serving.site import FormatPort
    from ppocr.serving.wire import WireFormat
    from ppocr_limits.budget import Budget
    from ppocr_limits.tls import Tls

#: Share of the memory for bodies that unread answers may take.
FOR_ANSWERS = 0.5


def rest_options(
    settings: ListenSettings,
    budget: Budget,
    formats: Sequence[WireFormat],
    endpoints: Sequence[Endpoints] = (),
    client_of: Callable[[str], str] | None = None,
    around: Callable[[App], App] = lambda app: app,
    ports: Sequence[FormatPort] = (),
) -> RestOptions:
    """`client_of` checks API keys, if they are required (ppocr/serving/access.py)."""
    from ppocr.serving.access import Access
    from ppocr.serving.rest import RestOptions

    return RestOptions(
        host=settings.host,
        port=settings.http_port,
        max_body_bytes=settings.max_body_bytes,
        timeout_seconds=settings.request_timeout_seconds,
        drain_seconds=settings.drain_seconds,
        budget=budget,
        connections=ConnectionLimits(
            connections=settings.max_connections,
            linger_bytes=settings.max_body_bytes,
            unread_bytes=int(budget.for_bodies * FOR_ANSWERS),
        ),
        track=_track(settings),
        tls=_tls(settings),
        access=Access(client_of, certificates=bool(settings.tls_client_ca_file)),
        formats=formats,
        endpoints=endpoints,
        around=around,
        ports=ports,
    )


def grpc_options(
    settings: ListenSettings,
    budget: Budget,
    formats: Sequence[WireFormat],
    endpoints: Sequence[Endpoints] = (),
    max_message_bytes: int | None = None,
    client_of: Callable[[str], str] | None = None,
    ports: Sequence[int] = (),
) -> GrpcOptions:
    """`max_message_bytes`: where messages may be of another size than a caller's request. `ports` are further ones."""
    from ppocr.serving.access import Access
    from ppocr.serving.grpc_options import GrpcOptions

    return GrpcOptions(
        addresses=(
            *(joined(listening(settings.host), port) for port in (settings.grpc_port, *ports)),
            *([f"unix:{settings.grpc_socket}"] if settings.grpc_socket else []),
        ),
        max_message_bytes=max_message_bytes or settings.max_body_bytes,
        max_calls=settings.max_connections,
        budget=budget,
        timeout_seconds=settings.request_timeout_seconds,
        track=_track(settings),
        tls=_tls(settings),
        access=Access(client_of),
        formats=formats,
        endpoints=endpoints,
    )


def _track(settings: ListenSettings) -> str:
    """The track for the header of every answer. Raises ConfigError."""
    if not re.fullmatch(r"[A-Za-z0-9._-]*", settings.track):
        raise ConfigError("track may have letters, digits, '.', '_' and '-'")
    return settings.track


def _tls(settings: ListenSettings) -> Tls | None:
    """Raises ConfigError if only one of certificate and key is set, or they can't be used."""
    files = (settings.tls_cert_file, settings.tls_key_file)
    if not any(files) and not settings.tls_client_ca_file:
        return None
    if not all(files):
        raise ConfigError("TLS needs both tls_cert_file and tls_key_file")
    from ppocr_limits.tls import Tls

    tls = Tls(*files, settings.tls_client_ca_file)
    tls.check()
    return tls


def lifecycle(settings: ListenSettings) -> Lifecycle:
    from ppocr.serving.server import Lifecycle

    return Lifecycle(settings.lame_duck_seconds, settings.drain_seconds)
