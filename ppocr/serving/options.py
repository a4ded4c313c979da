"""From the settings that every service has to the options of its servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ppocr.listen import ListenSettings

if TYPE_CHECKING:
    from ppocr.serving.grpc_server import GrpcOptions
    from ppocr.serving.rest import RestOptions
    from ppocr.serving.routing import Endpoints
    from ppocr.serving.server import Lifecycle
    from ppocr.serving.site import FormatPort
    from ppocr.serving.wire import WireFormat


def rest_options(
    settings: ListenSettings,
    formats: Sequence[WireFormat],
    endpoints: Sequence[Endpoints] = (),
    ports: Sequence[FormatPort] = (),
) -> RestOptions:
    from ppocr.serving.rest import RestOptions

    return RestOptions(
        host=settings.host,
        port=settings.http_port,
        max_body_bytes=settings.max_body_bytes,
        timeout_seconds=settings.request_timeout_seconds,
        drain_seconds=settings.drain_seconds,
        track=settings.track,
        formats=formats,
        endpoints=endpoints,
        ports=ports,
    )


def grpc_options(
    settings: ListenSettings,
    formats: Sequence[WireFormat],
    endpoints: Sequence[Endpoints] = (),
    max_message_bytes: int | None = None,
    ports: Sequence[int] = (),
) -> GrpcOptions:
    """`max_message_bytes`: where messages may be of another size than a caller's request. `ports` are further ones."""
    from ppocr.serving.grpc_server import GrpcOptions

    return GrpcOptions(
        addresses=(
            *(f"{settings.host}:{port}" for port in (settings.grpc_port, *ports)),
            *([f"unix:{settings.grpc_socket}"] if settings.grpc_socket else []),
        ),
        max_message_bytes=max_message_bytes or settings.max_body_bytes,
        timeout_seconds=settings.request_timeout_seconds,
        track=settings.track,
        formats=formats,
        endpoints=endpoints,
    )


def lifecycle(settings: ListenSettings) -> Lifecycle:
    from ppocr.serving.server import Lifecycle

    return Lifecycle(settings.lame_duck_seconds, settings.drain_seconds)
