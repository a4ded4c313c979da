"""Versions that are broken, or for which there is no memory, leave the one that serves."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from predictor.manifest import CHARACTERS, MANIFEST, file_record
from tests import services, two_models
from tests.repository.pair import Pair
from tests.two_models import IMAGES, NAME

MIB = 1 << 20


def _corrupt(version: Path) -> str:
    network = version / "rec.onnx"
    network.write_bytes(network.read_bytes()[:-1] + b"\x00")
    return "doesn't match its manifest"


def _truncated(version: Path) -> str:
    network = version / "rec.onnx"
    network.write_bytes(network.read_bytes()[:-1000])
    return "its manifest says"


def _missing(version: Path) -> str:
    (version / "det.onnx").unlink()
    return "lacks the file 'det.onnx'"


def _no_network(version: Path) -> str:
    """Its digests are right: only the engine can tell."""
    nothing = b"this is no network"
    (version / "det.onnx").write_bytes(nothing)
    manifest = json.loads((version / MANIFEST).read_text())
    record = file_record(nothing)
    two_models.change(
        version, files={**manifest["files"], "det.onnx": {"sha256": record.sha256, "bytes": record.bytes}}
    )
    return "is not a readable ONNX file"


def _no_manifest(version: Path) -> str:
    (version / MANIFEST).write_text("{")
    return "is not valid JSON"


def _nested(version: Path) -> str:
    (version / MANIFEST).write_text("[" * 200_000)
    return "is not valid JSON"


def _infinite(version: Path) -> str:
    two_models.change(version, converter=float("inf"))
    return "of the wrong type"


def _out_of_range(version: Path) -> str:
    networks = json.loads((version / MANIFEST).read_text())["networks"]
    next(network for network in networks if network["task"] == "detection")["parameters"]["thresh"] = 7
    two_models.change(version, networks=networks)
    return "the parameter thresh of a network for detection"


def _few_characters(version: Path) -> str:
    """All its digests are right: only a sample shows that it reads what it has no characters for."""
    few = "\nabcde\n".replace("abcde", "\n".join("abcde")).encode()
    (version / CHARACTERS).write_bytes(few)
    record = file_record(few)
    manifest = json.loads((version / MANIFEST).read_text())
    two_models.change(
        version, files={**manifest["files"], CHARACTERS: {"sha256": record.sha256, "bytes": record.bytes}}
    )
    return "classes without a label"


@pytest.mark.parametrize(
    "spoil",
    [_nested, _infinite, _out_of_range, _few_characters, _corrupt, _truncated, _missing, _no_network, _no_manifest],
)
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
    networks = json.loads(before)["networks"]
    detection = next(network for network in networks if network["name"] == "det")
    detection["parameters"]["thresh"] = 0.5
    two_models.change(manifest.parent, networks=networks)
    try:
        answer = fresh.load("1")
    finally:
        manifest.write_text(before)
    assert answer.status_code == 400
    assert "give the new files a new version" in answer.json()["error"]


async def test_a_broken_version_in_a_watched_folder_is_loaded_when_it_is_fixed(tmp_path: Path) -> None:
    v6, v4 = two_models.models()
    root = tmp_path / "models"
    two_models.put(root, 1, v6)
    flags = ("--model_dir", str(root), "--watch_seconds", "0.1", "--swap_grace_seconds", "0")
    with services.all_in_one(tmp_path / "log", *flags) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client, asyncio.timeout(60):
            loading = await client.post(f"/v2/repository/models/{NAME}/load")
            assert loading.status_code == 404, "the repository is watched, not open"
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


def test_manifests_that_are_poison_stop_neither_the_start_nor_the_watch(tmp_path: Path) -> None:
    root, v6 = tmp_path / "models", two_models.models()[0]
    two_models.put(root, 1, v6)
    reasons = [poison(two_models.put(root, version, v6)) for version, poison in ((2, _nested), (3, _infinite))]
    flags = ("--model_dir", str(root), "--watch_seconds", "0.1", "--swap_grace_seconds", "0", "--repository_api")
    with services.predictor(tmp_path / "log", *flags) as predictor:
        index = httpx.post(f"{predictor.url}/v2/repository/index").json()
        states = [("1", "READY"), ("2", "UNAVAILABLE"), ("3", "UNAVAILABLE")]
        assert [(each["version"], each["state"]) for each in index] == states
        assert all(reason in each["reason"] for reason, each in zip(reasons, index[1:], strict=True))
        two_models.put(root, 4, v6)
        deadline = time.monotonic() + 60
        while index[-1]["version"] != "4" or index[-1]["state"] != "READY":
            assert time.monotonic() < deadline, index
            time.sleep(0.1)
            index = httpx.post(f"{predictor.url}/v2/repository/index").json()


def test_a_start_with_a_broken_highest_version_serves_the_one_below(tmp_path: Path) -> None:
    v6, v4 = two_models.models()
    two_models.put(tmp_path / "models", 1, v6)
    _corrupt(two_models.put(tmp_path / "models", 2, v4))
    with services.predictor(tmp_path / "log", "--model_dir", str(tmp_path / "models"), "--repository_api") as predictor:
        states = httpx.post(f"{predictor.url}/v2/repository/index").json()
    assert [(each["version"], each["state"]) for each in states] == [("1", "READY"), ("2", "UNAVAILABLE")]
    assert "doesn't match its manifest" in states[1]["reason"]
