"""gRPC server reflection, v1 and v1alpha, of the declared methods, for grpcurl and similar tools.

Messages of V2 and of PaddleServing are registered under this project's own package names (open_inference.proto explains why).
Reflection shows them under their protocol's names, and each service with the methods that are served.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection_pb2 as pb
from grpc_reflection.v1alpha.reflection import aio

from ppocr_grpc.methods import GrpcMethod

#: The two have the same messages, and other names.
SERVICES: Final = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
_METHOD: Final = "ServerReflectionInfo"

METHODS: Final = tuple(
    GrpcMethod(
        service,
        _METHOD,
        "reflection: the services and their messages",
        pb.ServerReflectionRequest,
        pb.ServerReflectionResponse,
        stream="both",
    )
    for service in SERVICES
)


def reflection(methods: Iterable[GrpcMethod]) -> dict[str, Any]:
    """What answers the methods of reflection: it shows `methods`."""
    services: dict[str, list[GrpcMethod]] = defaultdict(list)
    for method in (*methods, *METHODS):
        services[method.service].append(method)
    pool = descriptor_pool.DescriptorPool()
    for name, served in services.items():
        file = served[0].request.DESCRIPTOR.file
        if any(known.full_name == name for known in file.services_by_name.values()):
            _add(pool, file)
        else:
            _add_under_its_own_name(pool, name, served)
    servicer = aio.ReflectionServicer([*services], pool)
    return {_METHOD: servicer.ServerReflectionInfo}


def _add(pool: Any, file: Any) -> None:
    """A file of the default pool, with those that it imports."""
    for imported in file.dependencies:
        _add(pool, imported)
    pool.AddSerializedFile(file.serialized_pb)


def _add_under_its_own_name(pool: Any, service: str, methods: Sequence[GrpcMethod]) -> None:
    """The file of the methods' messages in the package of `service`, with that service alone."""
    package, _, name = service.rpartition(".")
    file = descriptor_pb2.FileDescriptorProto.FromString(methods[0].request.DESCRIPTOR.file.serialized_pb)
    registered = f".{file.package}."
    file.name, file.package = f"{package}.proto", package
    _rename(file.message_type, registered, f".{package}.")
    del file.service[:]
    shown = file.service.add(name=name)
    for method in methods:
        shown.method.add(
            name=method.method,
            input_type=f".{package}.{method.request.DESCRIPTOR.name}",
            output_type=f".{package}.{method.response.DESCRIPTOR.name}",
            client_streaming=method.stream == "both",
            server_streaming=method.stream != "",
        )
    pool.Add(file)


def _rename(messages: Iterable[Any], old: str, new: str) -> None:
    for message in messages:
        for field in message.field:
            if field.type_name.startswith(old):
                field.type_name = new + field.type_name.removeprefix(old)
        _rename(message.nested_type, old, new)
