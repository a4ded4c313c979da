"""The repository of a predictor that serves: load, unload, index, versions side by side, and versions that are broken."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest

from ppocr import oip
from ppocr.bundle import MANIFEST, file_record
from ppocr.serving import tensors
from tests import services, two_models
from tests.services import Service
from tests.two_models import IMAGES, NAME, URL

HERE = Path(__file__).parent
JPEG = {"content-type": "image/jpeg"}
INFER = "/v2/models/ppocr/infer"
MIB = 1 << 20


@dataclass(frozen=True)
class Pair:
    """A predictor whose repository is open, with version 1 (v6) in memory and 2 (v4) on disk, and its transformer."""

    predictor: Service
    transformer: Service
    root: Path

    def load(self, version: str, name: str = NAME) -> httpx.Response:
        body = {"parameters": {"version": version}}
        return httpx.post(f"{self.predictor.url}/v2/repository/models/{name}/load", json=body, timeout=60)

    def index(self) -> dict[str, dict[str, str]]:
        answer = httpx.post(f"{self.predictor.url}/v2/repository/index", timeout=60).raise_for_status()
        return {f"{each['name']}/{each['version']}": each for each in answer.json()}

    def metric(self, line: str) -> float:
        for each in httpx.get(f"{self.predictor.url}/metrics").text.splitlines():
            if each.startswith(f"{line} "):
                return float(each.rpartition(" ")[2])
        return 0.0

    def reads_with(self) -> str:
        """The model that reads an image now."""
        answer = httpx.post(self.transformer.url + URL, content=IMAGES[0].read_bytes(), headers=JPEG, timeout=60)
        assert answer.status_code == 200, answer.text
        model: str = answer.json()["predictions"][0]["model"]
        return model


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two versions may be in memory; one that was swapped out goes at once."""
    folder = tmp_path_factory.mktemp("repository")
    root = folder / "models"
    for version, source in enumerate(two_models.models(), start=1):
        two_models.put(root, version, source)
    flags = ("--model_dir", str(root), "--bundle", NAME, "--bundle_version", "1", "--repository_api")
    quick = ("--side_by_side", "2", "--swap_grace_seconds", "0", "--swap_warm_up_seconds", "0.5")
    with (
        services.predictor(folder / "predictor.log", *flags, *quick) as predictor,
        services.transformer(folder / "transformer.log", predictor.grpc) as transformer,
    ):
        yield Pair(predictor, transformer, root)


@pytest.fixture
def fresh(pair: Pair) -> Pair:
    """With version 1 alone in memory, whatever a test before did."""
    assert pair.load("1").status_code == 200
    for other in [label for label, each in pair.index().items() if each["state"] == "READY" and label != f"{NAME}/1"]:
        body = {"parameters": {"version": other.rpartition("/")[2]}}
        httpx.post(f"{pair.predictor.url}/v2/repository/models/{NAME}/unload", json=body, timeout=60).raise_for_status()
    return pair


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


def _corrupt(version: Path) -> str:
    network = version / "rec.onnx"
    network.write_bytes(network.read_bytes()[:-1] + b"\x00")
    return "is not the file that its manifest describes"


def _truncated(version: Path) -> str:
    network = version / "rec.onnx"
    network.write_bytes(network.read_bytes()[:-1000])
    return "its manifest says"


def _missing(version: Path) -> str:
    (version / "det.onnx").unlink()
    return "lacks the file det.onnx"


def _no_network(version: Path) -> str:
    """Its digests are right: only the engine can tell."""
    nothing = b"this is no network"
    (version / "det.onnx").write_bytes(nothing)
    manifest = json.loads((version / MANIFEST).read_text())
    record = file_record(nothing)
    two_models.change(
        version, files={**manifest["files"], "det.onnx": {"sha256": record.sha256, "bytes": record.bytes}}
    )
    return "can't read the det network"


def _no_manifest(version: Path) -> str:
    (version / MANIFEST).write_text("{")
    return "is not JSON"


@pytest.mark.parametrize("spoil", [_corrupt, _truncated, _missing, _no_network, _no_manifest])
def test_a_broken_version_leaves_the_one_that_serves_and_says_why(fresh: Pair, spoil: Callable[[Path], str]) -> None:
    version = spoil.__name__.strip("_")
    folder = two_models.put(fresh.root, version, two_models.models()[1])
    reason = spoil(folder)
    failures = fresh.metric("ppocr_bundle_load_failures_total")
    answer = fresh.load(version)
    assert answer.status_code == 400, answer.text
    assert reason in answer.json()["error"]
    assert f"Served as before: {NAME}/1" in answer.json()["error"]
    assert str(fresh.root) not in answer.text
    index = fresh.index()
    assert index[f"{NAME}/{version}"]["state"] == "UNAVAILABLE"
    assert reason in index[f"{NAME}/{version}"]["reason"]
    assert index[f"{NAME}/1"]["state"] == "READY"
    assert fresh.metric("ppocr_bundle_load_failures_total") == failures + 1
    assert f"{NAME}/{version} could not be loaded: " in fresh.predictor.log.read_text()
    assert fresh.reads_with() == f"{NAME}/1"


def test_a_version_for_which_there_is_no_memory_leaves_the_one_that_serves(fresh: Pair) -> None:
    status = Path(f"/proc/{fresh.predictor.process.pid}/status").read_text()
    size = int(status.split("VmSize:")[1].split()[0]) * 1024
    limits = resource.prlimit(fresh.predictor.process.pid, resource.RLIMIT_AS)
    resource.prlimit(fresh.predictor.process.pid, resource.RLIMIT_AS, (size + 64 * MIB, limits[1]))
    try:
        refused = fresh.load("2")
    finally:
        resource.prlimit(fresh.predictor.process.pid, resource.RLIMIT_AS, limits)
    assert refused.status_code == 503, refused.text
    assert "MiB are left" in refused.json()["error"]
    assert "MiB are left" in fresh.index()[f"{NAME}/2"]["reason"]
    assert fresh.reads_with() == f"{NAME}/1"
    assert fresh.load("2").status_code == 200, "with memory again it can be loaded"


def test_other_files_under_a_version_that_serves_are_refused(fresh: Pair) -> None:
    manifest = fresh.root / NAME / "1" / MANIFEST
    before = manifest.read_text()
    two_models.change(manifest.parent, det={**json.loads(before)["det"], "thresh": 0.5})
    try:
        answer = fresh.load("1")
    finally:
        manifest.write_text(before)
    assert answer.status_code == 400
    assert "give the new ones a version of their own" in answer.json()["error"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"version": 1.5},
        {"version": True},
        {"file:1/model.onnx": "AA=="},
        {"config": "{"},
        {"config": '{"version_policy": {"all": {}}}'},
    ],
    ids=str,
)
def test_wrong_parameters_are_refused(pair: Pair, parameters: dict[str, Any]) -> None:
    answer = httpx.post(f"{pair.predictor.url}/v2/repository/models/{NAME}/load", json={"parameters": parameters})
    assert answer.status_code == 400, answer.text


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
    assert "no other" in said["refused"]


def test_kserve_s_own_message_of_a_load_is_understood(fresh: Pair) -> None:
    with grpc.insecure_channel(fresh.predictor.grpc) as channel:
        load = channel.unary_unary(f"/{oip.SERVICE}/RepositoryModelLoad", lambda raw: raw, lambda raw: raw)
        load(b"\x0a" + bytes([len(NAME)]) + NAME.encode(), timeout=60)
    assert fresh.index()[f"{NAME}/1"]["state"] == "READY"


def test_the_repository_is_closed_on_the_transformer(pair: Pair) -> None:
    assert httpx.post(f"{pair.transformer.url}/v2/repository/index").status_code == 404
    assert httpx.post(f"{pair.transformer.url}/v2/repository/models/{NAME}/load").status_code == 404
    with grpc.insecure_channel(pair.transformer.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        oip.unary(channel, "RepositoryIndex")(oip.RepositoryIndexRequest(), timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED  # type: ignore[attr-defined]


async def test_a_watched_folder_with_a_broken_version_serves_on_and_takes_it_when_it_is_mended(tmp_path: Path) -> None:
    v6, v4 = two_models.models()
    root = tmp_path / "models"
    two_models.put(root, 1, v6)
    flags = ("--model_dir", str(root), "--watch_seconds", "0.1", "--swap_grace_seconds", "0")
    with services.all_in_one(tmp_path / "log", *flags) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client, asyncio.timeout(60):
            assert (await client.post("/v2/repository/index")).status_code == 404, "the repository is watched, not open"
            broken = two_models.put(root, 2, v4)
            good = (broken / "rec.onnx").read_bytes()
            _corrupt(broken)
            while "ppocr_bundle_load_failures_total 1.0" not in (await client.get("/metrics")).text:
                await two_models.read(client, IMAGES[0].read_bytes())
            _, model, _ = await two_models.read(client, IMAGES[0].read_bytes())
            assert model == f"{NAME}/1"
            (broken / "rec.onnx").write_bytes(good)
            while model != f"{NAME}/2":
                _, model, _ = await two_models.read(client, IMAGES[0].read_bytes())
    assert "ppocr-x/2 could not be loaded: rec.onnx" in (tmp_path / "log").read_text()


def test_a_start_with_a_broken_highest_version_serves_the_one_below(tmp_path: Path) -> None:
    v6, v4 = two_models.models()
    two_models.put(tmp_path / "models", 1, v6)
    _corrupt(two_models.put(tmp_path / "models", 2, v4))
    with services.predictor(tmp_path / "log", "--model_dir", str(tmp_path / "models"), "--repository_api") as predictor:
        states = httpx.post(f"{predictor.url}/v2/repository/index").json()
    assert [(each["version"], each["state"]) for each in states] == [("1", "READY"), ("2", "UNAVAILABLE")]
    assert "is not the file" in states[1]["reason"]


def _binary(image: bytes) -> dict[str, Any]:
    """A V2 request with the image as binary data."""
    raw = oip.pack_bytes([image])
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [tensor]}).encode()
    return {"content": head + raw, "headers": {"inference-header-content-length": str(len(head))}}
