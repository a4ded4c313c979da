"""Real clients read the same text: curl, kserve's own (V1, V2, gRPC), tritonclient (HTTP with binary tensors, gRPC)."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

from tests import needs
from tests.services import Service

HERE = Path(__file__).parent
IMAGE = HERE / "data" / "075.jpg"


@pytest.fixture(scope="module")
def expected(service: Service, receipt: bytes) -> list[str]:
    """What the raw body route reads in the receipt."""
    answer = httpx.post(
        f"{service.url}/v1/models/ppocr:predict", content=receipt, headers={"content-type": "image/jpeg"}, timeout=60
    )
    (prediction,) = answer.raise_for_status().json()["predictions"]
    texts = [line["text"] for line in prediction["lines"]]
    assert len(texts) > 20
    assert "LIAN HING STATIONERY SDN BHD" in texts
    return texts


def test_curl_sends_a_file_and_json(service: Service, expected: list[str], tmp_path: Path) -> None:
    url = f"{service.url}/v1/models/ppocr:predict"
    curl = [needs.program("curl"), "-sf"]
    raw = [*curl, "-H", "Content-Type: image/jpeg", "--data-binary", f"@{IMAGE}", url]
    assert texts_of(json.loads(subprocess.check_output(raw))) == [expected]
    body = tmp_path / "request.json"
    body.write_text(json.dumps({"instances": [{"image": {"b64": base64.b64encode(IMAGE.read_bytes()).decode()}}] * 2}))
    # Without a Content-Type of its own curl says application/x-www-form-urlencoded, as many scripts do.
    assert texts_of(json.loads(subprocess.check_output([*curl, "-d", f"@{body}", url]))) == [expected] * 2


def texts_of(answer: dict) -> list[list[str]]:
    return [[line["text"] for line in prediction["lines"]] for prediction in answer["predictions"]]


async def test_kserve_v1_client(service: Service, expected: list[str], receipt: bytes) -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v1", timeout=60))
    request = {"instances": [{"image": {"b64": base64.b64encode(receipt).decode()}}]}
    answer = await client.infer(service.url, request, model_name="ppocr")
    assert texts_of(answer) == [expected]
    await client.close()


async def test_kserve_v2_rest_client_with_json(service: Service, expected: list[str], receipt: bytes) -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
    tensor = InferInput("image", [1], "BYTES", data=[base64.b64encode(receipt).decode()])
    answer = await client.infer(service.url, InferRequest("ppocr", [tensor]), model_name="ppocr")
    texts, count = answer.get_output_by_name("text"), answer.get_output_by_name("count")
    assert texts is not None and count is not None
    assert [text for text in texts.data] == expected
    assert count.data == [len(expected)]
    assert await client.is_server_ready(service.url)
    assert await client.is_model_ready(service.url, "ppocr")
    await client.close()


async def test_kserve_v2_rest_client_with_binary_tensors(service: Service, expected: list[str], receipt: bytes) -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
    tensor = InferInput("image", [2], "BYTES")
    tensor.set_data_from_numpy(np.array([receipt, receipt], dtype=object), binary_data=True)
    answer = await client.infer(service.url, InferRequest("ppocr", [tensor]), model_name="ppocr")
    texts, points = answer.get_output_by_name("text"), answer.get_output_by_name("points")
    assert texts is not None and points is not None
    assert list(texts.data) == expected * 2
    assert points.as_numpy().shape == (len(expected) * 2, 4, 2)
    await client.close()


@pytest.mark.parametrize("raw", [True, False], ids=["raw contents", "typed contents"])
async def test_kserve_grpc_client(service: Service, expected: list[str], receipt: bytes, raw: bool) -> None:
    client = InferenceGRPCClient(service.grpc, timeout=60)
    tensor = InferInput("image", [1], "BYTES", data=None if raw else [receipt])
    if raw:
        tensor.set_data_from_numpy(np.array([receipt], dtype=object))
    answer = await client.infer(InferRequest("ppocr", [tensor]))
    texts = answer.get_output_by_name("text")
    assert texts is not None
    assert [text.decode() for text in texts.as_numpy()] == expected
    assert await client.is_server_ready()
    assert await client.is_model_ready("ppocr")
    await client.close()


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_tritonclient(service: Service, expected: list[str], protocol: str) -> None:
    """In a process of its own: its protobuf file and kserve's can't live in one."""
    address = service.url.removeprefix("http://") if protocol == "http" else service.grpc
    command = [sys.executable, str(HERE / "triton_client.py"), protocol, address, str(IMAGE)]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["text"] == expected
    assert answer["count"] == [len(expected)]
    assert answer["points_shape"] == [len(expected), 4, 2]
    assert len(answer["confident"]) < len(expected)
    assert set(answer["confident"]) <= set(expected)
    assert answer["inputs"] == ["image"]


@pytest.mark.alone
def test_a_small_answer_does_not_wait_for_an_acknowledgement(service: Service) -> None:
    """Nagle's algorithm and delayed ACKs would cost 40 ms an answer."""
    with httpx.Client(base_url=service.url) as client:
        took = []
        for _ in range(20):
            started = time.perf_counter()
            assert client.get("/v2/health/live").status_code == 200
            took.append(time.perf_counter() - started)
    assert sorted(took)[10] < 0.02


def test_the_service_imports_kserve_without_pandas_and_leaves_pandas_whole() -> None:
    code = (
        "import sys; from ppocr.serving.light_import import import_kserve; import_kserve();"
        "from kserve import Model, ModelServer; assert 'pandas' not in sys.modules;"
        "import pandas; assert pandas.DataFrame({'a': [1]}).shape == (1, 1)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=HERE.parent)
