"""The routes beside the formats, on the real service: capabilities, NVIDIA's health, and the API as a page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ppocr import __version__
from tests.services import Service
from transformer.routes import FORMATS, schemas
from transformer.web import HEADERS


@pytest.fixture(scope="module")
def capabilities(service: Service) -> Any:
    return httpx.get(f"{service.url}/v1/capabilities").raise_for_status().json()


def test_capabilities_name_formats_and_parameters(capabilities: Any) -> None:
    assert (capabilities["name"], capabilities["version"], capabilities["model"]) == (
        "ppocr-serving",
        __version__,
        "ppocr",
    )
    assert [each["name"] for each in capabilities["formats"]] == [each.declaration.name for each in FORMATS]
    (v2,) = (each for each in capabilities["formats"] if each["name"] == "v2")
    assert "inference.GRPCInferenceService/ModelInfer" in v2["grpc"]
    assert {"methods": ["POST"], "path": "/v2/models/{model_name}/infer"} in v2["paths"]
    assert capabilities["parameters"] == schemas.PARAMETERS
    assert {"JPEG", "PNG", "TIFF"} <= set(capabilities["images"])


def test_capabilities_name_the_bundle_with_its_languages(capabilities: Any, service: Service, receipt: bytes) -> None:
    (bundle,) = capabilities["bundles"]
    jpeg = {"content-type": "image/jpeg"}
    read = httpx.post(f"{service.url}/v1/models/ppocr:predict", content=receipt, headers=jpeg, timeout=60).json()
    assert read["predictions"][0]["model"] == f"{bundle['name']}/{bundle['version']}"
    assert {"english", "chinese", "japanese", "german", "french"} <= set(bundle["languages"])
    assert not {"thai", "hindi", "arabic"} & set(bundle["languages"])
    assert bundle["parameters"] == {"use_doc_orientation_classify": True, "use_textline_orientation": True}
    assert [network["task"] for network in bundle["networks"]] == [
        "page_orientation",
        "detection",
        "line_orientation",
        "recognition",
    ]


def test_the_limits_that_are_told_hold(capabilities: Any, service: Service) -> None:
    limits = capabilities["limits"]
    assert limits["max_body_bytes"] == 100 * 1024 * 1024
    images = [{"b64": schemas.EXAMPLE_IMAGE}] * (limits["max_instances"] + 1)
    answer = httpx.post(f"{service.url}/v1/models/ppocr:predict", json={"instances": images}, timeout=60)
    assert answer.status_code == 400 and str(limits["max_instances"]) in answer.json()["error"]


def test_health_as_nvidias_nim_has_it(service: Service) -> None:
    assert httpx.get(f"{service.url}/v1/health/live").json() == {"live": True}
    assert httpx.get(f"{service.url}/v1/health/ready").json() == {"ready": True}


def test_the_page_of_the_api_keeps_the_policy_of_the_other_page(service: Service) -> None:
    for path, kind in (("/docs", "text/html"), ("/redoc", "text/html"), ("/web/docs.css", "text/css")):
        answer = httpx.get(service.url + path).raise_for_status()
        assert answer.headers["content-type"].startswith(kind)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
    text = httpx.get(f"{service.url}/docs").text
    for each in FORMATS:
        for path in each.declaration.paths:
            assert path.path.replace("{model_name}", "ppocr") in text
    assert "/v2/health/ready" in text and "/v1/capabilities" in text
