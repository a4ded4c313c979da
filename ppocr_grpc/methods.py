"""Declarations of gRPC methods, and their call context."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import grpc
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from grpc import aio

from ppocr_api.errors import InvalidRequest, PpocrError
from ppocr_grpc.metadata_log import leave_out_metadata
from ppocr_limits.wire_fields import check_message

leave_out_metadata()


@dataclass(frozen=True)
class GrpcMethod:
    """One method of a gRPC service, and its messages' classes. `stream` says which side may send many messages."""

    service: str
    method: str
    summary: str
    request: Any
    response: Any
    stream: Literal["", "answers", "both"] = ""


class Failed(Exception):
    """Ends a call with the status of `error`, which went through the error mapping already."""

    def __init__(self, error: PpocrError) -> None:
        self.error = error


class CallContext:
    """gRPC's context of a call, and what the guard knows of it."""

    def __init__(self, context: Any, call: Any) -> None:
        self._context = context
        self.call = call

    def metadata(self) -> dict[str, str]:
        """The call's metadata, without binary values."""
        return {key: value for key, value in self._context.invocation_metadata() or () if isinstance(value, str)}


def parsed(method: GrpcMethod, raw: bytes) -> Any:
    """The message in `raw`. gRPC itself would answer what is no message with UNKNOWN and the name of a Python class."""
    if raw is aio.EOF:
        raise InvalidRequest(f"{method.method} was called without a message")
    try:
        check_message(raw, method.request.DESCRIPTOR)
        return method.request.FromString(raw)
    except DecodeError as error:
        raise InvalidRequest(f"the bytes are no protobuf message of {method.method}'s request") from error


def unary_handler(method: GrpcMethod, answer: Callable[[Any, CallContext], Awaitable[Any]]) -> grpc.RpcMethodHandler:
    """The handler of a method that takes one message and gives one."""
    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=lambda raw: parsed(method, raw),
        response_serializer=method.response.SerializeToString,
    )
