"""The retired servers' clients read a receipt through the gateway, by its address as they did, and through the ports they had."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import environments
from tests.cluster import images
from tests.cluster.kube import Namespace, until
from tests.cluster.release import Release

CLIENTS = Path(__file__).parents[1] / "wire_formats"
PIPELINE_PORT, PIPELINE_GRPC_PORT, HUB_PORT = 9998, 18091, 8868
#: A name that the original client has in its answer's key.
RESULT = "result"
VALUES: dict[str, Any] = {
    "formats": ["v1", "pdserving", "hubserving", "paddlex"],
    "gateway": {"hostnames": ["*"], "grpcHostnames": ["*"]},
    "transformer": {
        "settings": {
            "pdserving_port": PIPELINE_PORT,
            "pdserving_grpc_port": PIPELINE_GRPC_PORT,
            "hubserving_ports": str(HUB_PORT),
        }
    },
}


@pytest.fixture(scope="module")
def release(namespace: Namespace, tmp_path_factory: pytest.TempPathFactory, gateway_url: str) -> Iterator[Release]:
    """The chart with the retired servers' formats, for every host and on their ports."""
    release = Release(namespace, "ppocr-formats", tmp_path_factory.mktemp("formats"))
    release.upgrade("--wait", **VALUES)
    until(30, lambda: asked(f"{gateway_url}/health").status_code == 200, "the gateway's route")
    yield release
    namespace.helm("uninstall", release.name, "--wait")


@pytest.fixture(scope="module")
def service(release: Release) -> str:
    """The address of the Service, which has the retired servers' ports."""
    found: str = release.namespace.get("service", f"{release.name}-stable-transformer")["spec"]["clusterIP"]
    return found


@pytest.fixture(scope="module")
def texts(release: Release, gateway_url: str) -> list[str]:
    """What V1 reads in the receipt."""
    answer = asked(f"{gateway_url}/v1/models/ppocr:predict", json.loads(images.v1(images.RECEIPT.read_bytes())))
    read = [line["text"] for line in answer.raise_for_status().json()["predictions"][0]["lines"]]
    assert images.RECEIPT_TEXT in read
    return read


def asked(url: str, body: Any = None) -> httpx.Response:
    if body is None:
        return httpx.get(url, timeout=60, trust_env=False)
    return httpx.post(url, json=body, timeout=60, trust_env=False)


def run(*command: str | Path, folder: Path) -> list[str]:
    """The lines that a client prints; it goes to the gateway itself, whatever proxy the machine has."""
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=folder, env={**environ, "PYTHONPATH": ""}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_the_original_pipeline_client(
    gateway_url: str, service: str, texts: list[str], tmp_path: Path, say: Callable[[str], None]
) -> None:
    """It connects to addresses alone, so the name that it asks for is the gateway's address."""
    python = environments.pipeline_client()
    for address in (f"{gateway_url.removeprefix('http://')}:80", f"{service}:{PIPELINE_GRPC_PORT}"):
        lines = run(python, CLIENTS / "pipeline_client.py", address, images.RECEIPT, folder=tmp_path)
        answers = [json.loads(line.removeprefix("ANSWER")) for line in lines if line.startswith("ANSWER")]
        assert answers == [[0, [RESULT], texts]] * 2, address
        say(f"PaddleServing's PipelineClient at {address}: {len(texts)} lines")


def test_what_the_pipelines_http_client_does(gateway_url: str, service: str, texts: list[str]) -> None:
    image = base64.b64encode(images.RECEIPT.read_bytes()).decode()
    for url in (gateway_url, f"http://{service}:{PIPELINE_PORT}"):
        answer = asked(f"{url}/ocr/prediction", {"key": ["image"], "value": [image]}).json()
        assert (answer["err_no"], answer["key"]) == (0, [RESULT])
        assert [item[0][0] for item in eval(answer["value"][0])] == texts  # as the client does


def test_what_paddlehubs_client_does(gateway_url: str, service: str, texts: list[str]) -> None:
    image = base64.b64encode(images.RECEIPT.read_bytes()).decode()
    for url in (gateway_url, f"http://{service}:{HUB_PORT}"):
        answer = asked(f"{url}/predict/ocr_system", {"images": [image]}).json()
        assert answer["status"] == "000"
        assert {line["text"] for line in answer["results"][0]} <= set(texts)
        assert images.RECEIPT_TEXT in [line["text"] for line in answer["results"][0]]


def test_the_client_of_paddlexs_documentation(gateway_url: str, texts: list[str], tmp_path: Path) -> None:
    client = CLIENTS / "paddlex_clients" / "client.py"
    lines = run(sys.executable, client, f"{gateway_url}/ocr", images.RECEIPT, folder=tmp_path)
    assert lines == texts
    assert (tmp_path / "ocr_0.jpg").read_bytes().startswith(b"\xff\xd8")


def test_a_format_that_is_left_out_is_not_there(gateway_url: str, release: Release) -> None:
    assert asked(f"{gateway_url}/v1/infer", {"input": []}).status_code == 404
    assert asked(f"{gateway_url}/v2/models/ppocr/infer", {"inputs": []}).status_code == 404
