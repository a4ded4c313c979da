"""The repository of a predictor that serves: load, unload, index, versions side by side."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest

from ppocr import oip
from ppocr.serving import tensors
from predictor.manifest import MANIFEST
from tests import two_models
from tests.repository.pair import JPEG, Pair
from tests.two_models import IMAGES, NAME, URL

HERE = Path(__file__).parents[1]
INFER = "/v2/models/ppocr/infer"


def test_the_index_says_what_is_in_memory_and_what_only_on_disk(fresh: Pair) -> None:
    two_models.put(fresh.root, "1", two_models.models()[1], name="another")
    index = fresh.index()
    assert index[f"{NAME}/1"] == {"name": NAME, "version": "1", "state": "READY", "reason": ""}
    assert index[f"{NAME}/2"]["state"] in ("UNAVAILABLE", "UNLOADING")
    assert index["another/1"]["reason"] == f"this predictor serves {NAME}"
    ready = httpx.post(f"{fresh.predictor.url}/v2/repository/index", json={"ready": True}).json()
    assert [each["version"] for each in ready] == ["1"]
    assert fresh.metric(f'ppocr_bundle_state{{name="{NAME}",state="READY",version="1"}}') == 1


def test_versions_side_by_side_are_asked_for_by_name_through_det_and_rec(fresh: Pair) -> None:
    assert fresh.load("2").json() == {"name": NAME, "version": "2", "load": True}
    image = IMAGES[0].read_bytes()
    by_version = {}
    for version in ("1", "2"):
        request = tensors.request_to_grpc("ppocr", {"image": tensors.bytes_array([image])}, version)
        with grpc.insecure_channel(fresh.transformer.grpc) as channel:
            answer = oip.unary(channel, "ModelInfer")(request, timeout=60)
        read = tensors.response_from_grpc(answer)
        assert (read.model_version, read.parameters["model"]) == (version, f"{NAME}/{version}")
        by_version[version] = [text.decode() for text in read.outputs["text"]]
        tail = _binary(image)
        rest = httpx.post(
            f"{fresh.transformer.url}/v2/models/ppocr/versions/{version}/infer", **tail, timeout=60
        ).json()
        assert rest["model_version"] == version
        assert rest["outputs"][0]["data"] == by_version[version]
        ready = httpx.get(f"{fresh.transformer.url}/v2/models/ppocr/versions/{version}/ready")
        assert ready.json()["ready"] is True
    assert by_version["1"] != by_version["2"]
    assert fresh.reads_with() == f"{NAME}/2", "the one that was loaded last serves those who name none"


def test_det_and_rec_take_versions_too_and_say_the_identity(fresh: Pair) -> None:
    assert fresh.load("2").status_code == 200
    pixels = np.full((1, 64, 64, 3), 255, np.uint8)
    identities = set()
    for version in ("1", "2"):
        body = {
            "inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 64, 64, 3], "data": pixels.ravel().tolist()}]
        }
        answer = httpx.post(
            f"{fresh.predictor.url}/v2/models/det/versions/{version}/infer", json=body, timeout=60
        ).json()
        assert answer["model_version"] == version
        identities.add(answer["parameters"]["ppocr.identity"].rpartition("@")[2])
    assert len(identities) == 2


@pytest.mark.parametrize("path", ["/v2/models/ppocr/versions/9", "/v2/models/ppocr/versions/9/ready"])
def test_a_version_that_is_not_there_is_404(fresh: Pair, path: str) -> None:
    assert httpx.get(fresh.transformer.url + path, timeout=60).status_code == 404
    answer = httpx.post(
        f"{fresh.transformer.url}/v2/models/ppocr/versions/9/infer", **_binary(IMAGES[0].read_bytes()), timeout=60
    )
    assert answer.status_code == 404
    assert "no version '9'" in answer.json()["error"]
    assert fresh.load("9").status_code == 404
    assert fresh.load("1", name="another-name").status_code == 404


@pytest.mark.parametrize(
    "parameters",
    [
        {"version": 1.5},
        {"version": True},
        {"file:1/model.onnx": "AA=="},
        {"config": "{"},
        {"config": '{"version_policy": {"all": {}}}'},
        {"config": '{"version_policy": {"specific": {"versions": [true]}}}'},
    ],
    ids=str,
)
def test_wrong_parameters_are_refused(pair: Pair, parameters: dict[str, Any]) -> None:
    answer = httpx.post(f"{pair.predictor.url}/v2/repository/models/{NAME}/load", json={"parameters": parameters})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("kept", "task"), [("rec", "detection"), ("det", "recognition"), ("line_orientation", "detection")]
)
def test_a_page_is_refused_where_the_version_has_no_network_for_it(fresh: Pair, kept: str, task: str) -> None:
    """Networks may be served alone. The first page comes when the transformer still has the facts of the version before."""
    folder = two_models.put(fresh.root, f"only-{kept}", two_models.models()[0])
    networks = json.loads((folder / MANIFEST).read_text())["networks"]
    two_models.change(folder, networks=[network for network in networks if network["name"] == kept])
    assert fresh.reads_with() == f"{NAME}/1"
    assert fresh.load(f"only-{kept}").status_code == 200
    for _ in range(2):
        answer = httpx.post(fresh.transformer.url + URL, content=IMAGES[0].read_bytes(), headers=JPEG, timeout=60)
        assert answer.status_code == 400, answer.text
        assert f"the task {task}" in answer.json()["error"]
    assert fresh.load("1").status_code == 200
    assert fresh.reads_with() == f"{NAME}/1"


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_tritonclient_lists_loads_and_unloads(fresh: Pair, protocol: str) -> None:
    address = fresh.predictor.url.removeprefix("http://") if protocol == "http" else fresh.predictor.grpc
    # In a process of its own: Triton's messages can't live beside KServe's.
    command = [sys.executable, str(HERE / "triton_repository.py"), protocol, address, NAME, "2"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)
    one, two = f"{NAME}/1", f"{NAME}/2"
    assert [each[one] for each in said["seen"]] == ["READY"] * 3
    assert said["seen"][1][two] == "READY"
    assert said["seen"][2][two] != "READY", "without a version the pinned one is loaded"
    assert said["ready_without"] is False
    assert "can't be loaded" in said["refused"]


def test_kserve_s_own_message_of_a_load_is_understood(fresh: Pair) -> None:
    with grpc.insecure_channel(fresh.predictor.grpc) as channel:
        load = channel.unary_unary(f"/{oip.SERVICE}/RepositoryModelLoad", lambda raw: raw, lambda raw: raw)
        load(b"\x0a" + bytes([len(NAME)]) + NAME.encode(), timeout=60)
    assert fresh.index()[f"{NAME}/1"]["state"] == "READY"


def test_the_repository_is_closed_on_the_transformer(pair: Pair) -> None:
    """Its index is shown, to be read."""
    assert httpx.post(f"{pair.transformer.url}/v2/repository/index").status_code == 200
    assert httpx.post(f"{pair.transformer.url}/v2/repository/models/{NAME}/load").status_code == 404
    with grpc.insecure_channel(pair.transformer.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        oip.unary(channel, "RepositoryModelLoad")(oip.RepositoryModelLoadRequest(model_name=NAME), timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED  # type: ignore[attr-defined]


def _binary(image: bytes) -> dict[str, Any]:
    """A V2 request with the image as binary data."""
    raw = oip.pack_bytes([image])
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [tensor]}).encode()
    return {"content": head + raw, "headers": {"inference-header-content-length": str(len(head))}}
