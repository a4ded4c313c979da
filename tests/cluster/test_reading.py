"""From nothing to text: install, and a receipt read through the gateway over V1, V2 and gRPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import httpx
import pytest

from ppocr import oip
from ppocr.serving import tensors
from tests.cluster import images
from tests.cluster.conftest import Installed
from tests.cluster.load import Gateway
from tests.cluster.release import Release

Call = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def call(release: Release, gateway_url: str) -> Iterator[Call]:
    """Calls a gRPC method through the gateway."""
    options = [("grpc.default_authority", release.grpc_host)]
    with grpc.insecure_channel(gateway_url.removeprefix("http://") + ":80", options) as channel:
        yield lambda method, request: oip.unary(channel, method)(request, timeout=30)


def test_from_install_to_text(installed: Installed, say: Callable[[str], None]) -> None:
    say(f"installed and ready in {installed.ready:.1f} s, a text through the gateway after {installed.read:.1f} s")
    assert installed.read < 120


def test_a_receipt_over_v1(gateway: Gateway) -> None:
    answer = _post(gateway, "/v1/models/ppocr:predict", images.v1(images.RECEIPT.read_bytes()))
    assert images.RECEIPT_TEXT in [line["text"] for line in answer.json()["predictions"][0]["lines"]]


def test_a_receipt_over_v2(gateway: Gateway) -> None:
    answer = _post(gateway, "/v2/models/ppocr/infer", images.v2(images.RECEIPT.read_bytes()))
    texts = next(output["data"] for output in answer.json()["outputs"] if output["name"] == "text")
    assert images.RECEIPT_TEXT in texts


def _post(gateway: Gateway, path: str, content: bytes) -> httpx.Response:
    headers = {"host": gateway.host, "content-type": "application/json"}
    return httpx.post(gateway.url + path, headers=headers, content=content, timeout=60, trust_env=False)


def test_a_receipt_over_grpc(call: Call) -> None:
    request = oip.ModelInferRequest(model_name="ppocr")
    tensor = request.inputs.add(name="image", datatype="BYTES", shape=[1])
    tensor.contents.bytes_contents.append(images.RECEIPT.read_bytes())
    answer = call("ModelInfer", request)
    texts = tensors.response_from_grpc(answer).outputs["text"]
    assert images.RECEIPT_TEXT.encode() in texts.tolist()


def test_only_reading_and_health_are_published(gateway: Gateway) -> None:
    """The page, metrics and the API's description are there for who asks a pod, or sets `gateway.publish`."""
    for path, status in {"/": 404, "/metrics": 404, "/openapi.json": 404, "/v2/health/ready": 200}.items():
        answer = httpx.get(gateway.url + path, headers={"host": gateway.host}, trust_env=False)
        assert answer.status_code == status, path


def test_the_repository_is_not_reachable(gateway: Gateway, call: Call) -> None:
    """The transformer's own list of what it serves is: it changes nothing."""
    paths = [
        f"/v2/repository/models/{model}/{verb}" for model in ("ppocr", "det", "rec") for verb in ("load", "unload")
    ]
    assert {
        path: _post(gateway, path, b"{}").status_code for path in (*paths, "/v2/repository/index")
    } == dict.fromkeys((*paths, "/v2/repository/index"), 404)
    for method, request in {
        "RepositoryModelLoad": oip.RepositoryModelLoadRequest(model_name="rec"),
        "RepositoryModelUnload": oip.RepositoryModelUnloadRequest(model_name="rec"),
    }.items():
        with pytest.raises(grpc.RpcError) as refused:
            call(method, request)
        assert refused.value.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED)
    index = call("RepositoryIndex", oip.RepositoryIndexRequest())
    assert {model.name for model in index.models} == {gateway.model}, "of the predictor's networks it says nothing"
