"""gRPC server reflection, v1 and v1alpha, of what is declared: grpcurl and its like list and call the service by it.

V2's messages are registered under a package of their own (open_inference.proto says why). Here they have the names that V2
gives them, and its service has the methods that are served.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection_pb2 as pb
from grpc_reflection.v1alpha.reflection import aio

from ppocr_api import oip
from ppocr_grpc.methods import GrpcMethod

#: The two have the same messages, and other names.
SERVICES: Final = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
_METHOD: Final = "ServerReflectionInfo"
_OURS: Final = f".{oip.DESCRIPTOR.package}."

METHODS: Final = tuple(
    GrpcMethod(
        service,
        _METHOD,
        "the services and their messages",
        pb.ServerReflectionRequest,
        pb.ServerReflectionResponse,
        stream="both",
    )
    for service in SERVICES
)


def reflection(methods: Iterable[GrpcMethod]) -> dict[str, Any]:
    """What answers the methods of reflection: it shows `methods`."""
    services: dict[str, list[GrpcMethod]] = defaultdict(list)
    for method in methods:
        services[method.service].append(method)
    pool = descriptor_pool.DescriptorPool()
    _add_v2(pool, services.get(oip.SERVICE, ()))
    for name in services:
        if name != oip.SERVICE:
            _add(pool, services[name][0].request.DESCRIPTOR.file)
    servicer = aio.ReflectionServicer([*services, *SERVICES], pool)
    return {_METHOD: servicer.ServerReflectionInfo}


def _add(pool: Any, file: Any) -> None:
    """A file of the default pool, with those that it imports."""
    for imported in file.dependencies:
        _add(pool, imported)
    pool.AddSerializedFile(file.serialized_pb)


def _add_v2(pool: Any, methods: Iterable[GrpcMethod]) -> None:
    package, _, name = oip.SERVICE.rpartition(".")
    file = descriptor_pb2.FileDescriptorProto.FromString(oip.DESCRIPTOR.serialized_pb)
    file.name, file.package = "open_inference.proto", package
    _rename(file.message_type, f".{package}.")
    service = file.service.add(name=name)
    for method in methods:
        service.method.add(
            name=method.method,
            input_type=f".{package}.{method.request.DESCRIPTOR.name}",
            output_type=f".{package}.{method.response.DESCRIPTOR.name}",
            client_streaming=method.stream == "both",
            server_streaming=method.stream != "",
        )
    pool.Add(file)


def _rename(messages: Iterable[Any], package: str) -> None:
    for message in messages:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace(_OURS, package)
        _rename(message.nested_type, package)
