"""The V2 inference protocol (Open Inference Protocol) over gRPC: its messages and helpers.

    call = unary(channel, "ModelInfer")             # a grpc or grpc.aio channel
    answer = call(ModelInferRequest(model_name="ppocr"), timeout=5)

The messages are generated from open_inference.proto, which says where its fields come from.

KServe's SDK knows only the first three kinds of `InferParameter`, and drops the others unread: send a float to such a
server as `string_param`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Final

from ppocr_api.open_inference_pb2 import (
    DESCRIPTOR,
    InferParameter,
    InferStatistics,
    InferTensorContents,
    ModelConfig,
    ModelConfigRequest,
    ModelConfigResponse,
    ModelInferRequest,
    ModelInferResponse,
    ModelMetadataRequest,
    ModelMetadataResponse,
    ModelReadyRequest,
    ModelReadyResponse,
    ModelStatistics,
    ModelStatisticsRequest,
    ModelStatisticsResponse,
    ModelStreamInferResponse,
    RepositoryIndexRequest,
    RepositoryIndexResponse,
    RepositoryModelLoadRequest,
    RepositoryModelLoadResponse,
    RepositoryModelUnloadRequest,
    RepositoryModelUnloadResponse,
    ServerLiveRequest,
    ServerLiveResponse,
    ServerMetadataRequest,
    ServerMetadataResponse,
    ServerReadyRequest,
    ServerReadyResponse,
)

__all__ = [
    "DESCRIPTOR",
    "METHODS",
    "SERVICE",
    "InferParameter",
    "InferStatistics",
    "InferTensorContents",
    "ModelConfig",
    "ModelConfigRequest",
    "ModelConfigResponse",
    "ModelInferRequest",
    "ModelInferResponse",
    "ModelMetadataRequest",
    "ModelMetadataResponse",
    "ModelReadyRequest",
    "ModelReadyResponse",
    "ModelStatistics",
    "ModelStatisticsRequest",
    "ModelStatisticsResponse",
    "ModelStreamInferResponse",
    "RepositoryIndexRequest",
    "RepositoryIndexResponse",
    "RepositoryModelLoadRequest",
    "RepositoryModelLoadResponse",
    "RepositoryModelUnloadRequest",
    "RepositoryModelUnloadResponse",
    "ServerLiveRequest",
    "ServerLiveResponse",
    "ServerMetadataRequest",
    "ServerMetadataResponse",
    "ServerReadyRequest",
    "ServerReadyResponse",
    "pack_bytes",
    "parameter",
    "unary",
    "unpack_bytes",
]

SERVICE: Final = "inference.GRPCInferenceService"

#: Method → (request, response).
METHODS: Final[dict[str, tuple[Any, Any]]] = {
    "ServerLive": (ServerLiveRequest, ServerLiveResponse),
    "ServerReady": (ServerReadyRequest, ServerReadyResponse),
    "ServerMetadata": (ServerMetadataRequest, ServerMetadataResponse),
    "ModelReady": (ModelReadyRequest, ModelReadyResponse),
    "ModelMetadata": (ModelMetadataRequest, ModelMetadataResponse),
    "ModelInfer": (ModelInferRequest, ModelInferResponse),
    "ModelStreamInfer": (ModelInferRequest, ModelStreamInferResponse),
    "ModelConfig": (ModelConfigRequest, ModelConfigResponse),
    "ModelStatistics": (ModelStatisticsRequest, ModelStatisticsResponse),
    "RepositoryIndex": (RepositoryIndexRequest, RepositoryIndexResponse),
    "RepositoryModelLoad": (RepositoryModelLoadRequest, RepositoryModelLoadResponse),
    "RepositoryModelUnload": (RepositoryModelUnloadRequest, RepositoryModelUnloadResponse),
}


def unary(channel: Any, method: str) -> Any:
    """The callable of one method on `channel` (grpc or grpc.aio): `call(request, timeout=…, metadata=…)`."""
    request, response = METHODS[method]
    return channel.unary_unary(
        f"/{SERVICE}/{method}",
        request_serializer=request.SerializeToString,
        response_deserializer=response.FromString,
    )


def pack_bytes(items: Iterable[bytes]) -> bytes:
    """The raw form of a BYTES tensor: each item behind its length, 4 bytes, little-endian."""
    parts: list[bytes] = []
    for item in items:
        parts += (struct.pack("<I", len(item)), item)
    return b"".join(parts)


def unpack_bytes(raw: bytes) -> list[bytes]:
    """The items of a raw BYTES tensor. Raises ValueError if the lengths don't fit the bytes."""
    items = []
    at = 0
    while at < len(raw):
        if at + 4 > len(raw):
            raise ValueError(f"a BYTES tensor ends within a length, at byte {at} of {len(raw)}")
        (size,) = struct.unpack_from("<I", raw, at)
        at += 4
        if at + size > len(raw):
            raise ValueError(f"a BYTES tensor declares an item of {size} bytes, and has {len(raw) - at} left")
        items.append(raw[at : at + size])
        at += size
    return items


def parameter(value: bool | int | float | str) -> Any:
    """`value` as an InferParameter that KServe's servers understand too: a float travels as text."""
    if isinstance(value, bool):
        return InferParameter(bool_param=value)
    if isinstance(value, int):
        return InferParameter(int64_param=value)
    return InferParameter(string_param=repr(value) if isinstance(value, float) else value)
