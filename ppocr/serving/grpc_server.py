"""The gRPC server: the methods that a service declares, with limits for images, deadlines, metrics and errors as statuses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import grpc
from grpc import aio
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from ppocr.serving import wire
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.declaration import GrpcMethod
from ppocr.serving.grpc_guard import CallContext, Failed, Guard
from ppocr.serving.management import management
from ppocr.serving.routing import Endpoints
from ppocr.serving.wire import WireFormat, WireRequest
from ppocr_api.errors import ConfigError
from ppocr_limits import wire_fields
from ppocr_limits.budget import Budget

CONNECTION_AGE_MS = 4_000
HANDSHAKE_MS = 20_000
#: Compression algorithms that are spoken: none. A compressed message would be unpacked to any size before it is looked at,
#: and images are compressed already.
UNCOMPRESSED = 1

#: Answers a message of a call.
Method = Callable[[Any, "CallContext"], Awaitable[Any]]


@dataclass(frozen=True)
class GrpcOptions:
    """Where the gRPC server listens (HOST:PORT and unix:PATH), what it lets in, and what it serves beside readiness."""

    addresses: Sequence[str]
    max_message_bytes: int
    timeout_seconds: float
    budget: Budget
    max_calls: int = 1000
    track: str = ""
    formats: Sequence[WireFormat] = ()
    endpoints: Sequence[Endpoints] = ()


class GrpcServer:
    """The gRPC side of a service."""

    def __init__(self, options: GrpcOptions, data_plane: TrueDataPlane, repository: ModelRepositoryExtension) -> None:
        self._options = options
        self._data_plane = data_plane
        self._repository = repository
        self._server: aio.Server | None = None

    async def start(self) -> None:
        """Listens; a port that is taken is an error, not a silent second listener."""
        limit = self._options.max_message_bytes
        server = aio.server(
            futures.ThreadPoolExecutor(max_workers=1),
            interceptors=(Guard(self._options.timeout_seconds, self._options.budget, self._options.track),),
            maximum_concurrent_rpcs=self._options.max_calls,
            options=[
                ("grpc.max_allowed_incoming_connections", self._options.max_calls),
                ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
                ("grpc.compression_enabled_algorithms_bitset", UNCOMPRESSED),
                ("grpc.max_send_message_length", limit),
                ("grpc.max_receive_message_length", limit),
                ("grpc.so_reuseport", 0),
                # Clients look a name up again only when a connection ends. So they learn of new pods, and that one is going
                # before its lame duck is over. Calls in progress are answered on the old connection.
                ("grpc.max_connection_age_ms", CONNECTION_AGE_MS),
                ("grpc.max_connection_age_grace_ms", round(self._options.timeout_seconds * 1000)),
            ],
        )
        for service, handlers in self._services().items():
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        for address in self._options.addresses:
            try:
                server.add_insecure_port(address)
            except RuntimeError as error:
                raise ConfigError(f"gRPC can't listen on {address}: is another service using it?") from error
        await server.start()
        self._server = server

    async def stop(self, grace: float) -> None:
        """Refuses new calls, waits `grace` seconds for the running ones."""
        if self._server is not None:
            await self._server.stop(grace)

    def _services(self) -> dict[str, dict[str, grpc.RpcMethodHandler]]:
        """The declared methods of each gRPC service. Only what a format or an endpoint declares is served."""
        services: dict[str, dict[str, grpc.RpcMethodHandler]] = defaultdict(dict)
        for wire_format in self._options.formats:
            for method in wire_format.declaration.grpc:
                services[method.service][method.method] = _handler(method, self._infer(wire_format))
        for group in (management(self._data_plane, self._repository), *self._options.endpoints):
            for method in group.declaration.grpc:
                services[method.service][method.method] = _handler(method, _plain(group.grpc[method.method]))
        return services

    def _infer(self, wire_format: WireFormat) -> Method:
        async def answer(message: Any, context: CallContext) -> Any:
            request = WireRequest(context.call, headers=context.metadata(), message=message)

            async def infer(payload: Any) -> Any:
                return (await self._data_plane.infer(request.model, payload, request.headers))[0]

            answered = await wire.answer((wire_format,), request, infer)
            if answered.message is None and answered.error is not None:
                raise Failed(answered.error)
            return answered.message

        return answer


def _plain(answer: Callable[[Any], Awaitable[Any]]) -> Method:
    return lambda message, _: answer(message)


def _handler(method: GrpcMethod, answer: Method) -> grpc.RpcMethodHandler:
    def parse(raw: bytes) -> Any:
        wire_fields.check_message(raw, method.request.DESCRIPTOR)
        return method.request.FromString(raw)

    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=parse, response_serializer=method.response.SerializeToString
    )
