"""Which formats a service answers, and on which ports."""

from __future__ import annotations

import pytest

from ppocr_api.errors import ConfigError
from transformer.routes import FORMATS
from transformer.routes.served import served
from transformer.settings import FormatSettings


def test_all_by_default_on_the_services_ports_alone() -> None:
    found = served(FormatSettings())
    assert [each.declaration.name for each in found.formats] == [each.declaration.name for each in FORMATS]
    assert (found.ports, found.grpc_ports) == ((), ())
    assert {"/v1/models/{model_name}:predict", "/ocr/prediction", "grpc:inference", "grpc:ModelInfer"} <= found.routes


def test_those_that_are_named() -> None:
    found = served(FormatSettings(formats="v2, raw"))
    assert [each.declaration.name for each in found.formats] == ["raw", "v2"]


@pytest.mark.parametrize("formats", ["v1,v3", "", " , "])
def test_names_that_are_none(formats: str) -> None:
    with pytest.raises(ConfigError, match="v1"):
        served(FormatSettings(formats=formats))


def test_a_port_is_its_formats_alone_even_where_the_service_does_not_answer_it() -> None:
    found = served(FormatSettings(formats="v1", pdserving_port=9998, pdserving_grpc_port=18091, web_service_port=9292))
    ports = {port.number: [each.declaration.name for each in port.formats] for port in found.ports}
    assert ports == {9998: ["pdserving"], 9292: ["web_service"]}
    assert found.grpc_ports == (18091,)
    assert "/{name}/{method}" in found.routes


def test_the_pipelines_name() -> None:
    (pipeline,) = served(FormatSettings(formats="pdserving", pdserving_name="text")).formats
    assert [path.path for path in pipeline.declaration.paths] == [
        "/text/prediction",
        "/text/{method}",
        "/{name}/prediction",
    ]
