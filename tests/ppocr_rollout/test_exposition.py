"""Counts from /metrics: made by the very metrics of the service, and read from a real one."""

from __future__ import annotations

import math

import httpx
import pytest

from ppocr_api.errors import PpocrError
from ppocr_rollout.exposition import counts, kind
from tests.services import Service


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("200", "good"),
        ("OK", "good"),
        ("400", "declined"),
        ("413", "declined"),
        ("499", "declined"),
        ("429", "failed"),
        ("500", "failed"),
        ("503", "failed"),
        ("504", "failed"),
        ("INVALID_ARGUMENT", "declined"),
        ("CANCELLED", "declined"),
        ("RESOURCE_EXHAUSTED", "failed"),
        ("UNAVAILABLE", "failed"),
        ("DEADLINE_EXCEEDED", "failed"),
        ("INTERNAL", "failed"),
        ("UNKNOWN", "failed"),
    ],
)
def test_how_a_request_ended(code: str, expected: str) -> None:
    assert kind(code) == expected


def test_probes_are_no_readings() -> None:
    text = """
# TYPE ppocr_requests_total counter
ppocr_requests_total{code="200",route="/v2/health/ready"} 1000
ppocr_requests_total{code="200",route="/metrics"} 50
ppocr_requests_total{code="200",route="/v2/models/{model_name}/ready"} 30
ppocr_requests_total{code="OK",route="grpc:ModelReady"} 30
ppocr_requests_total{code="200",route="/v1/models/{model_name}:predict"} 7
ppocr_requests_total{code="504",route="/v1/models/{model_name}:predict"} 1
ppocr_requests_total{code="OK",route="grpc:ModelInfer"} 5
ppocr_requests_total{code="200",route="/v2/models/{model_name}/infer"} 3
ppocr_requests_total{code="404",route="unknown"} 99
ppocr_requests_total{code="413",route="unknown"} 2
# TYPE ppocr_request_seconds histogram
ppocr_request_seconds_bucket{le="0.1",route="/v2/health/ready"} 1000
ppocr_request_seconds_bucket{le="+Inf",route="/v2/health/ready"} 1000
ppocr_request_seconds_bucket{le="0.1",route="/v1/models/{model_name}:predict"} 2
ppocr_request_seconds_bucket{le="+Inf",route="/v1/models/{model_name}:predict"} 8
ppocr_request_seconds_bucket{le="0.1",route="grpc:ModelInfer"} 1
ppocr_request_seconds_bucket{le="+Inf",route="grpc:ModelInfer"} 5
"""
    found = counts(text)
    assert (found.good, found.failed, found.declined) == (15, 1, 2)
    assert found.buckets == {0.1: 3, math.inf: 13}


def test_a_running_service(service: Service, receipt: bytes) -> None:
    before = counts(httpx.get(f"{service.url}/metrics").text)
    url = f"{service.url}/v1/models/ppocr:predict"
    assert httpx.post(url, content=receipt, headers={"content-type": "image/jpeg"}, timeout=60).status_code == 200
    assert httpx.post(url, content=b"none", headers={"content-type": "image/jpeg"}).status_code == 400
    for path in ("/", "/v2/health/ready", "/v2/health/live", "/healthz", "/v1/models", "/v1/models/ppocr", "/v2"):
        assert httpx.get(service.url + path).status_code == 200
    for path in ("/v2/models", "/v2/models/ppocr", "/v2/models/ppocr/ready"):
        assert httpx.get(service.url + path).status_code == 200
    window = counts(httpx.get(f"{service.url}/metrics").text).since(before)
    assert (window.good, window.failed, window.declined) == (1, 0, 1)
    assert window.buckets[math.inf] == 2
    quantile = window.quantile(0.99)
    assert quantile is not None and 0 < quantile < 60


@pytest.mark.parametrize("text", ["", "# TYPE up gauge\nup 1\n", "<html>ppocr_requests</html>"])
def test_something_else_is_no_service_of_ours(text: str) -> None:
    with pytest.raises(PpocrError):
        counts(text)
