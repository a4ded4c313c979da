"""The gRPC server: the methods that a service declares, with limits for images, deadlines, metrics and errors as statuses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent import futures
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from grpc import aio
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from ppocr import telemetry
from ppocr.call import Call
from ppocr.serving import wire
from ppocr.serving.access import OPEN, Access, noted
from ppocr.serving.asgi import TRACK_HEADER
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.declaration import GrpcMethod
from ppocr.serving.grpc_options import GrpcOptions
from ppocr.serving.management import management
from ppocr.serving.status import as_ppocr, grpc_answer
from ppocr.serving.wire import WireFormat, WireRequest
from ppocr_api.errors import ConfigError, DeadlineExceeded, InvalidRequest, PpocrError
from ppocr_limits.budget import Budget, Claim
from ppocr_limits.memory import Pressure
from ppocr_limits.messages import Read, arrived
from ppocr_limits.wire_fields import check_message

log = logging.getLogger("ppocr.access")
#: Need no key.
_PROBES = ("ServerLive", "ServerReady")
_QUIET = ("ServerLive", "ServerReady", "ModelReady", "ModelMetadata", "ServerMetadata")

#: Answers a message of a call.
Method = Callable[[Any, "CallContext"], Awaitable[Any]]


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
    """Around every call: deadline, memory, metrics, one log line, and errors as status codes."""

    def __init__(self, timeout_seconds: float, budget: Budget, track: str = "", access: Access = OPEN) -> None:
        self._timeout_seconds = timeout_seconds
        self._access = access
        self._budget = budget
        self._pressure = Pressure()
        self._metadata = ((TRACK_HEADER, track),) if track else ()

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        method = details.method.rsplit("/", 1)[-1]

        async def guarded(_: AsyncIterator[bytes], servicer_context: Any) -> Any:
            return await self._answer(method, handler, servicer_context.read, servicer_context)

        # A stream, which looks the same on the wire: its message is read inside, where it can be refused before all of it is
        # here. And it is parsed inside: gRPC answers what is no message with UNKNOWN and the name of a Python class.
        return grpc.stream_unary_rpc_method_handler(guarded, response_serializer=handler.response_serializer)

    async def _answer(self, method: str, handler: grpc.RpcMethodHandler, read: Read, call: Any) -> Any:
        started = time.monotonic()
        left = call.time_remaining()
        seconds = self._timeout_seconds if left is None else min(left, self._timeout_seconds)
        hurried = seconds < self._timeout_seconds
        known = Call(route=f"grpc:{method}", deadline=started + seconds, hurried=hurried)
        code = grpc.StatusCode.CANCELLED
        telemetry.IN_FLIGHT.inc()
        call.set_trailing_metadata(self._metadata)
        try:
            if method not in _PROBES:
                key = CallContext(call, known).metadata().get("authorization", "")
                self._access.check(known, key, certified=True)
            with Claim(self._budget) as claim:
                message = partial(arrived, read, claim, self._pressure)
                response = await self._within(seconds, handler, message, method, CallContext(call, known))
            code = grpc.StatusCode.OK if known.error is None else getattr(grpc.StatusCode, known.error.grpc)
            return response
        except aio.AbortError:
            raise
        except Exception as error:
            ours = error.error if isinstance(error, Failed) else as_ppocr(error, known)
            code, details, metadata = grpc_answer(ours)
            call.set_trailing_metadata((*self._metadata, *metadata))
            await call.abort(code, details)
        finally:
            telemetry.IN_FLIGHT.dec()
            took = time.monotonic() - started
            telemetry.REQUESTS.labels(known.route, code.name).inc()
            telemetry.REQUEST_SECONDS.labels(known.route).observe(took)
            if method not in _QUIET:
                log.info(
                    "%s %s %.1fms images=%d lines=%d%s",
                    known.route,
                    code.name,
                    took * 1000,
                    known.images,
                    known.lines,
                    noted(known, code.name),
                )

    @staticmethod
    async def _within(
        seconds: float,
        handler: grpc.RpcMethodHandler,
        message: Callable[[], Awaitable[bytes]],
        method: str,
        context: CallContext,
    ) -> Any:
        """The handler's answer; its work is dropped where the client leaves, or time is up."""
        if seconds <= 0:
            raise DeadlineExceeded("the call's deadline has passed")
        answered = False
        try:
            async with asyncio.timeout(seconds) as limit:
                response = await handler.unary_unary(_parsed(handler, await message(), method), context)
                answered = True
                return response
        except TimeoutError as error:
            if limit.expired():
                raise DeadlineExceeded("the request was not answered within its time limit") from error
            raise
        finally:
            context.call.cancelled = context.call.cancelled or not answered


def _parsed(handler: grpc.RpcMethodHandler, raw: bytes, method: str) -> Any:
    if raw is aio.EOF:
        raise InvalidRequest(f"{method} was called without a message")
    try:
        return handler.request_deserializer(raw)
    except DecodeError as error:
        raise InvalidRequest(f"the bytes are no protobuf message of {method}'s request") from error


class GrpcServer:
    """The gRPC side of a service."""

    def __init__(self, options: GrpcOptions, data_plane: TrueDataPlane, repository: ModelRepositoryExtension) -> None:
        self._options = options
        self._data_plane = data_plane
        self._repository = repository
        self._server: aio.Server | None = None

    async def start(self) -> None:
        """Listens; a port that is taken is an error, not a silent second listener."""
        server = aio.server(
            futures.ThreadPoolExecutor(max_workers=1),
            interceptors=(
                Guard(self._options.timeout_seconds, self._options.budget, self._options.track, self._options.access),
            ),
            maximum_concurrent_rpcs=self._options.max_calls,
            options=self._options.arguments(),
        )
        for service, handlers in self._services().items():
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        for address in self._options.addresses:
            try:
                if self._options.tls is None or address.startswith("unix:"):
                    server.add_insecure_port(address)
                else:
                    server.add_secure_port(address, self._options.tls.grpc())
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
        check_message(raw, method.request.DESCRIPTOR)
        return method.request.FromString(raw)

    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=parse, response_serializer=method.response.SerializeToString
    )
