"""The gRPC server: the methods that a service declares, with limits for images, deadlines, metrics and errors as statuses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import grpc
from grpc import aio
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from ppocr import telemetry
from ppocr.call import Call
from ppocr.serving import wire
from ppocr.serving.asgi import TRACK_HEADER
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.declaration import GrpcMethod
from ppocr.serving.grpc_streams import InferStream, absent_handler, parsed, stream_handler
from ppocr.serving.health import Health
from ppocr.serving.management import management
from ppocr.serving.reflection import reflection
from ppocr.serving.routing import Endpoints
from ppocr.serving.status import as_ppocr, grpc_answer
from ppocr.serving.wire import WireFormat, WireRequest
from ppocr_api.errors import ConfigError, DeadlineExceeded, PpocrError

log = logging.getLogger("ppocr.access")
CONNECTION_AGE_MS = 4_000
_QUIET = ("Check", "ServerLive", "ServerReady", "ModelReady", "ModelMetadata", "ServerMetadata")

#: Answers a message of a call.
Method = Callable[[Any, "CallContext"], Awaitable[Any]]


@dataclass(frozen=True)
class GrpcOptions:
    """Where the gRPC server listens (HOST:PORT and unix:PATH), what it lets in, and what it serves beside readiness."""

    addresses: Sequence[str]
    max_message_bytes: int
    timeout_seconds: float
    track: str = ""
    formats: Sequence[WireFormat] = ()
    endpoints: Sequence[Endpoints] = ()


class Failed(Exception):
    """Ends a call with the status of `error`, which went through the error mapping already."""

    def __init__(self, error: PpocrError) -> None:
        self.error = error


class CallContext:
    """gRPC's context of a call, and what the guard knows of it."""

    def __init__(self, context: Any, call: Call) -> None:
        self._context = context
        self.call = call

    def metadata(self) -> dict[str, str]:
        """The call's metadata, without binary values."""
        return {key: value for key, value in self._context.invocation_metadata() or () if isinstance(value, str)}


class Guard(aio.ServerInterceptor):  # type: ignore[misc]
    """Around every call: deadline, metrics, one log line, and errors as status codes."""

    def __init__(self, timeout_seconds: float, track: str = "", absent: Mapping[str, str] | None = None) -> None:
        self._timeout_seconds = timeout_seconds
        self._absent = absent or {}
        self._metadata = ((TRACK_HEADER, track),) if track else ()

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        handler = await continuation(details)
        method = details.method.rsplit("/", 1)[-1]
        if handler is None:
            return absent_handler(
                self._absent.get(method, f"{method[:100]} isn't served; server reflection lists what is")
            )
        if handler.unary_unary is None:
            return handler

        async def guarded(raw: bytes, servicer_context: Any) -> Any:
            try:
                return await self.answer(method, handler, raw, servicer_context)
            except Failed as failed:
                code, details, metadata = grpc_answer(failed.error)
                servicer_context.set_trailing_metadata((*self._metadata, *metadata))
                await servicer_context.abort(code, details)

        # The bytes are parsed inside: gRPC answers what is no message with UNKNOWN and the name of a Python class.
        return grpc.unary_unary_rpc_method_handler(guarded, response_serializer=handler.response_serializer)

    async def answer(self, method: str, handler: grpc.RpcMethodHandler, raw: bytes, call: Any) -> Any:
        """The answer to one message; raises Failed."""
        started = time.monotonic()
        left = call.time_remaining()
        seconds = self._timeout_seconds if left is None else min(left, self._timeout_seconds)
        known = Call(route=f"grpc:{method}", deadline=started + seconds)
        code = grpc.StatusCode.CANCELLED
        telemetry.IN_FLIGHT.inc()
        call.set_trailing_metadata(self._metadata)
        try:
            response = await self._within(seconds, handler, raw, method, CallContext(call, known))
            code = grpc.StatusCode.OK
            return response
        except Exception as error:
            ours = error.error if isinstance(error, Failed) else as_ppocr(error)
            code = grpc_answer(ours)[0]
            raise Failed(ours) from error
        finally:
            telemetry.IN_FLIGHT.dec()
            took = time.monotonic() - started
            telemetry.REQUESTS.labels(known.route, code.name).inc()
            telemetry.REQUEST_SECONDS.labels(known.route).observe(took)
            if method not in _QUIET:
                log.info(
                    "%s %s %.1fms images=%d lines=%d", known.route, code.name, took * 1000, known.images, known.lines
                )

    @staticmethod
    async def _within(
        seconds: float, handler: grpc.RpcMethodHandler, raw: bytes, method: str, context: CallContext
    ) -> Any:
        """The handler's answer; its work is dropped where the client leaves, or time is up."""
        if seconds <= 0:
            raise DeadlineExceeded("the call's deadline has passed")
        answered = False
        try:
            async with asyncio.timeout(seconds) as limit:
                response = await handler.unary_unary(handler.request_deserializer(raw), context)
                answered = True
                return response
        except TimeoutError as error:
            if limit.expired():
                raise DeadlineExceeded("the request was not answered within its time limit") from error
            raise
        finally:
            context.call.cancelled = context.call.cancelled or not answered


class GrpcServer:
    """The gRPC side of a service."""

    def __init__(self, options: GrpcOptions, data_plane: TrueDataPlane, repository: ModelRepositoryExtension) -> None:
        self._options = options
        self._data_plane = data_plane
        self._repository = repository
        self._server: aio.Server | None = None
        self._stopping = asyncio.Event()
        absent = {name: said for group in options.endpoints for name, said in group.declaration.absent.items()}
        self._guard = Guard(options.timeout_seconds, options.track, absent)

    async def start(self) -> None:
        """Listens; a port that is taken is an error, not a silent second listener."""
        limit = self._options.max_message_bytes
        server = aio.server(
            futures.ThreadPoolExecutor(max_workers=1),
            interceptors=(self._guard,),
            options=[
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
        """Refuses new calls, waits `grace` seconds for the running ones; streams end with what they have read."""
        self._stopping.set()
        if self._server is not None:
            await self._server.stop(grace)

    def _services(self) -> dict[str, dict[str, grpc.RpcMethodHandler]]:
        """The declared methods of each gRPC service. Only what a format or an endpoint declares is served."""
        services: dict[str, dict[str, grpc.RpcMethodHandler]] = defaultdict(dict)
        for wire_format in self._options.formats:
            for method in wire_format.declaration.grpc:
                services[method.service][method.method] = self._of_format(method, self._infer(wire_format))
        groups = [management(self._data_plane, self._repository), *self._options.endpoints]
        groups.append(Health(self._data_plane, lambda name: name == "" or name in services, self._stopping).endpoints)
        declared = [*(each.declaration for each in self._options.formats), *(group.declaration for group in groups)]
        groups.append(reflection(method for each in declared for method in each.grpc))
        for group in groups:
            for method in group.declaration.grpc:
                answer = group.grpc[method.method]
                services[method.service][method.method] = (
                    stream_handler(method, answer) if method.stream else _handler(method, _plain(answer))
                )
        return services

    def _of_format(self, method: GrpcMethod, answer: Method) -> grpc.RpcMethodHandler:
        one = _handler(method, answer)
        if not method.stream:
            return one

        async def answered(raw: bytes, context: Any) -> Any:
            try:
                return await self._guard.answer(method.method, one, raw, context)
            except Failed as failed:
                raise failed.error from failed

        return InferStream(answered, self._stopping).handler(method)

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
    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=lambda raw: parsed(method, raw),
        response_serializer=method.response.SerializeToString,
    )
