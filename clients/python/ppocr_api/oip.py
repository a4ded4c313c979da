"""The V2 inference protocol's gRPC messages (Open Inference Protocol), without generated code and without KServe.

    call = unary(channel, "ModelInfer")             # a grpc or grpc.aio channel
    answer = call(ModelInferRequest(model_name="ppocr"), timeout=5)

The messages are built here from a table of their fields and registered in a descriptor pool of their own: KServe and
Triton's client both register a file of package `inference` in the default pool, whose contents differ, and only one of
them can live there. On the wire only field numbers count, so all of them understand each other.

Field numbers are those of `open_inference_grpc.proto` (kserve/open-inference-protocol, and Triton's
`grpc_service.proto` for `double_param`, `uint64_param` and the model repository). `ModelMetadataResponse.parameters` = 6
is the extension of MLServer's `dataplane.proto`; clients that don't know it skip it.

KServe's SDK knows only the first three kinds of `InferParameter`, and drops the others unread: send a float to such a
server as `string_param`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

__all__ = [
    "METHODS",
    "SERVICE",
    "InferParameter",
    "InferTensorContents",
    "ModelInferRequest",
    "ModelInferResponse",
    "ModelMetadataRequest",
    "ModelMetadataResponse",
    "ModelReadyRequest",
    "ModelReadyResponse",
    "RepositoryIndexRequest",
    "RepositoryIndexResponse",
    "RepositoryModelLoadRequest",
    "RepositoryModelLoadResponse",
    "RepositoryModelUnloadRequest",
    "RepositoryModelUnloadResponse",
    "ServerLiveRequest",
    "ServerLiveResponse",
    "ServerReadyRequest",
    "ServerReadyResponse",
    "pack_bytes",
    "parameter",
    "unary",
    "unpack_bytes",
]

SERVICE: Final = "inference.GRPCInferenceService"

_PACKAGE = "inference"
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
    "float": _Field.TYPE_FLOAT,
    "double": _Field.TYPE_DOUBLE,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}
#: Message → its fields in the order of their numbers, from 1. `*` repeats; `map` is map<string, InferParameter>, and
#: `map:X` is map<string, X>.
_MESSAGES: dict[str, str] = {
    "ServerLiveRequest": "",
    "ServerLiveResponse": "bool live",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "bool ready",
    "ModelReadyRequest": "string name, string version",
    "ModelReadyResponse": "bool ready",
    "ModelMetadataRequest": "string name, string version",
    "ModelMetadataResponse": (
        "string name, *string versions, string platform, *ModelMetadataResponse.TensorMetadata inputs,"
        " *ModelMetadataResponse.TensorMetadata outputs, map parameters"
    ),
    "ModelMetadataResponse.TensorMetadata": "string name, string datatype, *int64 shape",
    "ModelInferRequest": (
        "string model_name, string model_version, string id, map parameters,"
        " *ModelInferRequest.InferInputTensor inputs,"
        " *ModelInferRequest.InferRequestedOutputTensor outputs, *bytes raw_input_contents"
    ),
    "ModelInferRequest.InferInputTensor": (
        "string name, string datatype, *int64 shape, map parameters, InferTensorContents contents"
    ),
    "ModelInferRequest.InferRequestedOutputTensor": "string name, map parameters",
    "ModelInferResponse": (
        "string model_name, string model_version, string id, map parameters,"
        " *ModelInferResponse.InferOutputTensor outputs, *bytes raw_output_contents"
    ),
    "ModelInferResponse.InferOutputTensor": (
        "string name, string datatype, *int64 shape, map parameters, InferTensorContents contents"
    ),
    "InferParameter": (
        "bool bool_param, int64 int64_param, string string_param, double double_param, uint64 uint64_param"
    ),
    "RepositoryIndexRequest": "string repository_name, bool ready",
    "RepositoryIndexResponse": "*RepositoryIndexResponse.ModelIndex models",
    "RepositoryIndexResponse.ModelIndex": "string name, string version, string state, string reason",
    "ModelRepositoryParameter": "bool bool_param, int64 int64_param, string string_param, bytes bytes_param",
    "RepositoryModelLoadRequest": "string repository_name, string model_name, map:ModelRepositoryParameter parameters",
    "RepositoryModelLoadResponse": "",
    "RepositoryModelUnloadRequest": "string repository_name, string model_name, map:ModelRepositoryParameter parameters",
    "RepositoryModelUnloadResponse": "",
    "InferTensorContents": (
        "*bool bool_contents, *int32 int_contents, *int64 int64_contents, *uint32 uint_contents,"
        " *uint64 uint64_contents, *float fp32_contents, *double fp64_contents, *bytes bytes_contents"
    ),
}


def _file() -> Any:
    """The table as a FileDescriptorProto; parents stand before their nested messages in it."""
    file = descriptor_pb2.FileDescriptorProto(name="ppocr/open_inference.proto", package=_PACKAGE, syntax="proto3")
    made: dict[str, Any] = {}
    for full_name, fields in _MESSAGES.items():
        parent, _, name = full_name.rpartition(".")
        message = made[full_name] = (made[parent].nested_type if parent else file.message_type).add(name=name)
        if full_name in ("InferParameter", "ModelRepositoryParameter"):
            message.oneof_decl.add(name="parameter_choice")
        for number, text in enumerate(filter(None, fields.split(",")), start=1):
            kind, field_name = text.split()
            field = message.field.add(name=field_name, number=number)
            is_map = kind.partition(":")[0] == "map"
            field.label = _Field.LABEL_REPEATED if kind[0] == "*" or is_map else _Field.LABEL_OPTIONAL
            kind = kind.lstrip("*")
            if is_map:
                _add_map_entry(message, kind.partition(":")[2] or "InferParameter")
                kind = f"{full_name}.ParametersEntry"
            if kind in _SCALARS:
                field.type = _SCALARS[kind]
            else:
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            if message.oneof_decl:
                field.oneof_index = 0
    return file


def _add_map_entry(message: Any, value: str) -> None:
    entry = message.nested_type.add(name="ParametersEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
    entry.field.add(
        name="value",
        number=2,
        label=_Field.LABEL_OPTIONAL,
        type=_Field.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.{value}",
    )


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


ServerLiveRequest = _message("ServerLiveRequest")
ServerLiveResponse = _message("ServerLiveResponse")
ServerReadyRequest = _message("ServerReadyRequest")
ServerReadyResponse = _message("ServerReadyResponse")
ModelReadyRequest = _message("ModelReadyRequest")
ModelReadyResponse = _message("ModelReadyResponse")
ModelMetadataRequest = _message("ModelMetadataRequest")
ModelMetadataResponse = _message("ModelMetadataResponse")
ModelInferRequest = _message("ModelInferRequest")
ModelInferResponse = _message("ModelInferResponse")
InferParameter = _message("InferParameter")
InferTensorContents = _message("InferTensorContents")
RepositoryIndexRequest = _message("RepositoryIndexRequest")
RepositoryIndexResponse = _message("RepositoryIndexResponse")
RepositoryModelLoadRequest = _message("RepositoryModelLoadRequest")
RepositoryModelLoadResponse = _message("RepositoryModelLoadResponse")
RepositoryModelUnloadRequest = _message("RepositoryModelUnloadRequest")
RepositoryModelUnloadResponse = _message("RepositoryModelUnloadResponse")

#: Method → (request, response).
METHODS: Final[dict[str, tuple[Any, Any]]] = {
    "ServerLive": (ServerLiveRequest, ServerLiveResponse),
    "ServerReady": (ServerReadyRequest, ServerReadyResponse),
    "ModelReady": (ModelReadyRequest, ModelReadyResponse),
    "ModelMetadata": (ModelMetadataRequest, ModelMetadataResponse),
    "ModelInfer": (ModelInferRequest, ModelInferResponse),
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
    """The items of a raw BYTES tensor. Raises ValueError where the lengths don't fit the bytes."""
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
