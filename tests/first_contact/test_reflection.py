"""Server reflection by Google's own client, as grpcurl uses it: all that is listed is described."""

from __future__ import annotations

import grpc
from google.protobuf import descriptor_pool  # type: ignore[import-untyped]
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.services import Service


def test_every_service_that_is_listed_is_described(service: Service) -> None:
    with grpc.insecure_channel(service.grpc) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = descriptor_pool.DescriptorPool(database)
        services = {name: pool.FindServiceByName(name) for name in database.get_services()}
    assert set(services) == {
        "baidu.paddle_serving.pipeline_serving.PipelineService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "inference.GRPCInferenceService",
    }
    for name, found in services.items():
        package = name.rpartition(".")[0]
        assert found.methods
        for method in found.methods:
            assert method.input_type.file.package == method.output_type.file.package == package
