"""KServe's gRPC server with our codec, our errors, message limits that fit images, and metadata that carries the model facts."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from grpc import aio
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as pb_grpc
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from ppocr import oip, telemetry
from ppocr.serving import context, tensors
from ppocr.serving.status import as_ppocr, grpc_answer
from ppocr_api.errors import ConfigError, DeadlineExceeded, InvalidRequest, NotFound

log = logging.getLogger("ppocr.access")
CONNECTION_AGE_MS = 4_000
_QUIET = ("ServerLive", "ServerReady", "ModelReady", "ModelMetadata", "ServerMetadata")


#: Answers the message of a method of `oip.METHODS`.
Method = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True)
class GrpcOptions:
    """Where the gRPC server listens (HOST:PORT and unix:PATH) and what it lets in. `methods` are a service's own."""

    addresses: Sequence[str]
    max_message_bytes: int
    timeout_seconds: float
    repository: bool
    track: str = ""
    methods: Mapping[str, Method] = field(default_factory=dict)


class Servicer(InferenceServicer):  # type: ignore[misc]
    """KServe's servicer, with inference on arrays instead of lists."""

    def __init__(self, data_plane: DataPlane, repository: ModelRepositoryExtension, options: GrpcOptions) -> None:
        super().__init__(data_plane, repository)
        self._options = options

    async def infer(self, request: Any, servicer_context: Any) -> Any:
        """ModelInfer on `oip` messages: KServe's lack the float parameters that Triton's client sends."""
        headers = {key: value for key, value in servicer_context.invocation_metadata() or () if isinstance(value, str)}
        response, _ = await self._data_plane.infer(request.model_name, tensors.from_grpc(request), headers=headers)
        return tensors.to_grpc(response)

    async def RepositoryModelLoad(self, request: Any, servicer_context: Any) -> Any:
        self._repository_allowed()
        return await super().RepositoryModelLoad(request, servicer_context)

    async def RepositoryModelUnload(self, request: Any, servicer_context: Any) -> Any:
        self._repository_allowed()
        return await super().RepositoryModelUnload(request, servicer_context)

    def _repository_allowed(self) -> None:
        if not self._options.repository:
            raise NotFound("models are not loaded or unloaded through this service")

    async def metadata(self, request: Any, servicer_context: Any) -> Any:
        """ModelMetadata with `parameters` (field 6), where the facts of the model stand."""
        known = await self._data_plane.model_metadata(request.name, request.version)
        answer = oip.ModelMetadataResponse(
            name=request.name, platform="ppocr", inputs=known["inputs"], outputs=known["outputs"]
        )
        for key, value in (await self._data_plane.model_parameters(request.name, request.version)).items():
            answer.parameters[key].string_param = value
        return answer

    async def model_ready(self, request: Any, servicer_context: Any) -> Any:
        """ModelReady of the version that is named, which KServe's doesn't look at."""
        ready = await self._data_plane.model_ready(request.name)
        await self._data_plane.check_version(request.name, request.version)
        return oip.ModelReadyResponse(ready=ready)


class Guard(aio.ServerInterceptor):  # type: ignore[misc]
    """Around every call: deadline, metrics, one log line, and errors as status codes."""

    def __init__(self, timeout_seconds: float, track: str = "") -> None:
        self._timeout_seconds = timeout_seconds
        self._metadata = ((context.TRACK_HEADER, track),) if track else ()

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        method = details.method.rsplit("/", 1)[-1]

        async def guarded(raw: bytes, servicer_context: Any) -> Any:
            return await self._answer(method, handler, raw, servicer_context)

        # The bytes are parsed inside: gRPC answers what is no message with UNKNOWN and the name of a Python class.
        return grpc.unary_unary_rpc_method_handler(guarded, response_serializer=handler.response_serializer)

    async def _answer(self, method: str, handler: grpc.RpcMethodHandler, raw: bytes, call: Any) -> Any:
        started = time.monotonic()
        left = call.time_remaining()
        seconds = self._timeout_seconds if left is None else min(left, self._timeout_seconds)
        known = context.RequestContext(route=f"grpc:{method}", deadline=started + seconds)
        context.enter(known)
        code = grpc.StatusCode.CANCELLED
        telemetry.IN_FLIGHT.inc()
        call.set_trailing_metadata(self._metadata)
        try:
            if left is not None and left <= 0:
                raise DeadlineExceeded("the call's deadline has passed")
            response = await handler.unary_unary(_parsed(handler, raw, method), call)
            code = grpc.StatusCode.OK
            return response
        except aio.AbortError:
            raise
        except Exception as error:
            code, details, metadata = grpc_answer(as_ppocr(error))
            call.set_trailing_metadata((*self._metadata, *metadata))
            await call.abort(code, details)
        finally:
            telemetry.IN_FLIGHT.dec()
            took = time.monotonic() - started
            telemetry.REQUESTS.labels(known.route, code.name).inc()
            telemetry.REQUEST_SECONDS.labels(known.route).observe(took)
            if method not in _QUIET:
                log.info(
                    "%s %s %.1fms images=%d lines=%d", known.route, code.name, took * 1000, known.images, known.lines
                )


def _parsed(handler: grpc.RpcMethodHandler, raw: bytes, method: str) -> Any:
    try:
        return handler.request_deserializer(raw)
    except DecodeError as error:
        raise InvalidRequest(f"the bytes are no protobuf message of {method}'s request") from error


class GrpcServer:
    """The gRPC side of a service."""

    def __init__(self, options: GrpcOptions, data_plane: DataPlane, repository: ModelRepositoryExtension) -> None:
        self._options = options
        self._servicer = Servicer(data_plane, repository, options)
        self._server: aio.Server | None = None

    async def start(self) -> None:
        """Listens; a port that is taken is an error, not a silent second listener."""
        limit = self._options.max_message_bytes
        server = aio.server(
            futures.ThreadPoolExecutor(max_workers=1),
            interceptors=(Guard(self._options.timeout_seconds, self._options.track),),
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
        handlers = {
            **_Handlers.of(self._servicer),
            "ModelInfer": _handler(self._servicer.infer, "ModelInfer"),
            "ModelMetadata": _handler(self._servicer.metadata, "ModelMetadata"),
            "ModelReady": _handler(self._servicer.model_ready, "ModelReady"),
            **{name: _handler(_without_context(answer), name) for name, answer in self._options.methods.items()},
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(oip.SERVICE, handlers),))
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


class _Handlers:
    """Stands in for a server while KServe registers its methods: two of them are replaced before they are served."""

    def __init__(self) -> None:
        self.by_method: dict[str, grpc.RpcMethodHandler] = {}

    @classmethod
    def of(cls, servicer: InferenceServicer) -> dict[str, grpc.RpcMethodHandler]:
        taker = cls()
        pb_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, taker)
        return taker.by_method

    def add_generic_rpc_handlers(self, _: Any) -> None:
        """The same methods once more, in a form that can't be read."""

    def add_registered_method_handlers(self, _: str, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
        self.by_method = dict(handlers)


def _without_context(answer: Method) -> Callable[[Any, Any], Awaitable[Any]]:
    return lambda request, _: answer(request)


def _handler(answer: Callable[[Any, Any], Awaitable[Any]], method: str) -> grpc.RpcMethodHandler:
    request, response = oip.METHODS[method]
    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=request.FromString, response_serializer=response.SerializeToString
    )
