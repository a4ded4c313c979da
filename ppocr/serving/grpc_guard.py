"""The one interceptor around all gRPC calls: message limit, memory, deadline, cancellation, metrics, access log, errors."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from grpc import aio

from ppocr import telemetry
from ppocr.call import Call
from ppocr.serving.asgi import TRACK_HEADER
from ppocr.serving.status import as_ppocr, grpc_answer
from ppocr_api.errors import DeadlineExceeded, InvalidRequest, PpocrError
from ppocr_limits.budget import Budget, Claim
from ppocr_limits.memory import Pressure
from ppocr_limits.messages import arrived

log = logging.getLogger("ppocr.access")

_QUIET = ("ServerLive", "ServerReady", "ModelReady", "ModelMetadata", "ServerMetadata")


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

    def __init__(self, timeout_seconds: float, budget: Budget, track: str = "") -> None:
        self._timeout_seconds = timeout_seconds
        self._budget = budget
        self._pressure = Pressure()
        self._metadata = ((TRACK_HEADER, track),) if track else ()

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        method = details.method.rsplit("/", 1)[-1]

        async def guarded(_: AsyncIterator[bytes], servicer_context: Any) -> Any:
            return await self._answer(method, handler, servicer_context)

        # A stream, which looks the same on the wire: its message is read inside, where it can be refused before all of it is
        # here. And it is parsed inside: gRPC answers what is no message with UNKNOWN and the name of a Python class.
        return grpc.stream_unary_rpc_method_handler(guarded, response_serializer=handler.response_serializer)

    async def _answer(self, method: str, handler: grpc.RpcMethodHandler, call: Any) -> Any:
        started = time.monotonic()
        left = call.time_remaining()
        seconds = self._timeout_seconds if left is None else min(left, self._timeout_seconds)
        known = Call(route=f"grpc:{method}", deadline=started + seconds)
        code = grpc.StatusCode.CANCELLED
        telemetry.IN_FLIGHT.inc()
        call.set_trailing_metadata(self._metadata)
        try:
            with Claim(self._budget) as claim:
                response = await self._within(seconds, handler, call, claim, method, CallContext(call, known))
            code = grpc.StatusCode.OK
            return response
        except aio.AbortError:
            raise
        except Exception as error:
            ours = error.error if isinstance(error, Failed) else as_ppocr(error)
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
                    "%s %s %.1fms images=%d lines=%d", known.route, code.name, took * 1000, known.images, known.lines
                )

    async def _within(
        self,
        seconds: float,
        handler: grpc.RpcMethodHandler,
        call: Any,
        claim: Claim,
        method: str,
        context: CallContext,
    ) -> Any:
        """The handler's answer; its work is dropped where the client leaves, or time is up."""
        if seconds <= 0:
            raise DeadlineExceeded("the call's deadline has passed")
        answered = False
        try:
            async with asyncio.timeout(seconds) as limit:
                message = await arrived(call.read(), claim, self._pressure)
                response = await handler.unary_unary(_parsed(handler, message, method), context)
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
