"""The gRPC server: the methods that a service declares, with limits for images, deadlines, metrics and errors as statuses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent import futures
from functools import partial
from typing import Any

import grpc
from grpc import aio
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

import ppocr_tracing
from ppocr import telemetry
from ppocr.call import Call
from ppocr.serving import wire
from ppocr.serving.access import noted
from ppocr.serving.asgi import TRACK_HEADER
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.grpc_options import GrpcOptions
from ppocr.serving.management import HEALTH, REFLECTION, management
from ppocr.serving.routing import Endpoints
from ppocr.serving.status import as_ppocr, grpc_answer
from ppocr.serving.traced import note_grpc
from ppocr.serving.wire import WireFormat, WireRequest
from ppocr_api.errors import ConfigError, DeadlineExceeded, PpocrError
from ppocr_grpc import health
from ppocr_grpc.methods import CallContext, Failed, GrpcMethod, unary_handler
from ppocr_grpc.open_streams import OpenStreams
from ppocr_grpc.reflection import reflection
from ppocr_grpc.streams import InferStream, absent_handler, stream_handler
from ppocr_limits.budget import Claim
from ppocr_limits.call_places import SPARE, CallPlaces
from ppocr_limits.messages import Arrivals, claimed

log = logging.getLogger("ppocr.access")
#: Need no key.
_PROBES = ("Check", "Watch", "ServerLive", "ServerReady")
_QUIET = ("Check", "ServerLive", "ServerReady", "ModelReady", "ModelMetadata", "ServerMetadata")

Metadata = tuple[tuple[str, str], ...]
#: Gives the bytes of a call's message, and lets a claim grow to what they take.
Message = Callable[[Claim], Awaitable[bytes]]
#: The answer to a call, or what went wrong.
Answered = tuple[Any, PpocrError | None]
#: Answers a message of a call.
Method = Callable[[Any, CallContext], Awaitable[Any]]


class Guard(aio.ServerInterceptor):  # type: ignore[misc]
    """Around every call: deadline, memory, metrics, one log line, and errors as status codes."""

    def __init__(self, options: GrpcOptions, absent: Mapping[str, str]) -> None:
        self._timeout_seconds = options.timeout_seconds
        self._access = options.access
        self._budget = options.budget
        self._arrivals = Arrivals(options.budget, options.max_message_bytes)
        self._places = CallPlaces(options.max_calls)
        self._streams = OpenStreams(self._authorize, self._arrivals, options.budget, _status)
        self._absent = absent
        self._metadata = ((TRACK_HEADER, options.track),) if options.track else ()

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        handler = await continuation(details)
        method = details.method.rsplit("/", 1)[-1]
        if handler is None:
            said = f"{method[:100]} isn't served; server reflection lists what is"
            return absent_handler(self._absent.get(method, said))
        if handler.unary_unary is None:
            return self._streams.bounded(method, handler)

        async def guarded(_: AsyncIterator[bytes], servicer_context: Any) -> Any:
            with self._places.taken(always=method in _PROBES) as place:
                read = partial(self._arrivals.message, servicer_context.read, in_turn=method not in _PROBES)
                response, error = await self.answer(method, handler, partial(place.message, read), servicer_context)
            if error is not None:
                # Here and not where the error was caught: gRPC keeps what this raises, with all frames on its way, which
                # keep gRPC's call in turn. The frames of a request and its error would stay with it.
                code, details, metadata = grpc_answer(error)
                servicer_context.set_trailing_metadata((*self._metadata, *metadata))
                await servicer_context.abort(code, details)
            return response

        # A stream, which looks the same on the wire: its message is read inside, where it can be refused before all of it is
        # here. And it is parsed inside: gRPC answers what is no message with UNKNOWN and the name of a Python class.
        return grpc.stream_unary_rpc_method_handler(guarded, response_serializer=handler.response_serializer)

    async def answer(self, method: str, handler: grpc.RpcMethodHandler, message: Message, call: Any) -> Answered:
        """The answer to a message, or what went wrong."""
        if method in _QUIET:
            return await self._answer(method, handler, message, call)
        with ppocr_tracing.server(method, call.invocation_metadata() or ()):
            return await self._answer(method, handler, message, call)

    async def _answer(self, method: str, handler: grpc.RpcMethodHandler, message: Message, call: Any) -> Answered:
        started = time.monotonic()
        left = call.time_remaining()
        seconds = self._timeout_seconds if left is None else min(left, self._timeout_seconds)
        hurried = seconds < self._timeout_seconds
        known = Call(route=f"grpc:{method}", deadline=started + seconds, hurried=hurried)
        code = grpc.StatusCode.CANCELLED
        telemetry.IN_FLIGHT.inc()
        call.set_trailing_metadata(self._metadata)
        try:
            self._authorize(method, call, known)
            with Claim(self._budget) as claim:
                response = await self._within(seconds, handler, partial(message, claim), CallContext(call, known))
            code = grpc.StatusCode.OK if known.error is None else getattr(grpc.StatusCode, known.error.grpc)
            return response, None
        except Exception as error:
            ours = error.error if isinstance(error, Failed) else as_ppocr(error, known)
            code = grpc_answer(ours)[0]
            return None, ours
        finally:
            telemetry.IN_FLIGHT.dec()
            took = time.monotonic() - started
            telemetry.REQUESTS.labels(known.route, code.name).inc()
            telemetry.REQUEST_SECONDS.labels(known.route).observe(took, ppocr_tracing.exemplar())
            if method not in _QUIET:
                note_grpc(known, method, code)
                said = (known.route, code.name, took * 1000, known.images, known.lines, noted(known, code.name))
                log.info("%s %s %.1fms images=%d lines=%d%s", *said)

    def _authorize(self, method: str, call: Any, known: Call | None = None) -> None:
        if method not in _PROBES:
            known = known or Call()
            self._access.check(known, CallContext(call, known).metadata().get("authorization", ""), certified=True)

    @staticmethod
    async def _within(
        seconds: float,
        handler: grpc.RpcMethodHandler,
        message: Callable[[], Awaitable[bytes]],
        context: CallContext,
    ) -> Any:
        """The handler's answer; its work is dropped if the client leaves, or time is up."""
        if seconds <= 0:
            raise DeadlineExceeded("the call's deadline has passed")
        answered = False
        try:
            async with asyncio.timeout(seconds) as limit:
                response = await handler.unary_unary(handler.request_deserializer(await message()), context)
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
        self._guard = Guard(options, absent)

    async def start(self) -> None:
        """Listens; a port that is taken is an error, not a silent second listener."""
        server = aio.server(
            futures.ThreadPoolExecutor(max_workers=1),
            interceptors=(self._guard,),
            maximum_concurrent_rpcs=self._options.max_calls + self._options.max_calls // SPARE,
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
        known = health.Health(self._data_plane.ready, lambda name: name == "" or name in services, self._stopping)
        groups.append(Endpoints(HEALTH, {}, known.answers))
        declared = [*(each.declaration for each in self._options.formats), *(group.declaration for group in groups)]
        shown = reflection(method for each in declared for method in each.grpc)
        groups.append(Endpoints(REFLECTION, {}, shown))
        for group in groups:
            for method in group.declaration.grpc:
                answer = group.grpc[method.method]
                services[method.service][method.method] = (
                    stream_handler(method, answer) if method.stream else unary_handler(method, _plain(answer))
                )
        return services

    def _of_format(self, method: GrpcMethod, answer: Method) -> grpc.RpcMethodHandler:
        one = unary_handler(method, answer)
        if not method.stream:
            return one

        async def answered(raw: bytes, context: Any) -> Answered:
            async def message(claim: Claim) -> bytes:
                return claimed(raw, claim)

            return await self._guard.answer(method.method, one, message, context)

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


def _status(error: Exception) -> tuple[Any, str, Metadata]:
    return grpc_answer(as_ppocr(error))


def _plain(answer: Callable[[Any], Awaitable[Any]]) -> Method:
    return lambda message, _: answer(message)
