"""Networks of one size are in memory from their first use on."""

from __future__ import annotations

import contextlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ppocr_api.errors import BundleError, EngineError, Unavailable
from ppocr_limits import memory
from predictor import at_first_use, loading
from predictor.at_first_use import NetworkAtFirstUse
from predictor.bundle import Bundle
from predictor.engines.base import EngineOptions, Network
from predictor.engines.openvino import ENGINE
from predictor.loading import BUILT_IN
from predictor.manifest import MANIFEST, file_record
from predictor.settings import NetworkSettings
from tests import two_models

NAME = "page_orientation"
PAGES = np.random.default_rng(1).integers(0, 255, (2, 224, 224, 3), np.uint8)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.open(shutil.copytree(BUILT_IN / "ppocrv6-small" / "1", tmp_path / "1"))


def loaded(bundle: Bundle) -> Network:
    facts = bundle.facts().network(NAME)
    assert facts is not None
    return ENGINE.load(bundle, facts, EngineOptions(device="cpu", precision="f32"))


def test_it_is_loaded_once_for_callers_that_come_at_once_and_answers_as_one_that_was_there(bundle: Bundle) -> None:
    loads: list[Network] = []

    def load() -> Network:
        loads.append(loaded(bundle))
        return loads[-1]

    there = loaded(bundle)
    network = NetworkAtFirstUse(loaded(bundle), load)
    assert network.capabilities == there.capabilities
    assert loads == []
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(network.infer, [PAGES] * 4))
    assert len(loads) == 1
    for answer in answers:
        for found, expected in zip(answer, there.infer(PAGES), strict=True):
            np.testing.assert_array_equal(found, expected)
    there.close()
    network.close()
    with pytest.raises(EngineError, match="closed"):
        network.infer(PAGES)


@pytest.mark.parametrize("error", [BundleError("its digest differs"), FileNotFoundError("gone")])
def test_where_it_can_not_be_loaded_a_later_call_tries_again(
    bundle: Bundle, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [error, error]

    def load() -> Network:
        if failures:
            raise failures.pop()
        return loaded(bundle)

    network = NetworkAtFirstUse(loaded(bundle), load)
    for _ in range(10):
        with pytest.raises(Unavailable, match="the page_orientation network can't be loaded") as refused:
            network.infer(PAGES)
        assert refused.value.retry_after
    assert len(failures) == 1  # its files are checked once
    monkeypatch.setattr(at_first_use, "RETRY_SECONDS", 0.0)
    with pytest.raises(Unavailable):
        network.infer(PAGES)
    assert len(network.infer(PAGES)[0]) == 2
    network.close()


def test_files_that_changed_since_the_start_are_not_used(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_first_use, "RETRY_SECONDS", 0.0)
    version = loading.load(bundle, NetworkSettings(device="cpu", warm_up_seconds=0.0, prepare_sizes=False))
    with contextlib.closing(version):
        slot, _ = version.network(NAME)
        file = bundle.onnx(NAME)
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(Unavailable, match="files have changed"):
            slot.network.infer(PAGES)
        file.write_bytes(data)
        assert len(slot.network.infer(PAGES)[0]) == 2


def test_until_then_it_takes_no_memory(bundle: Bundle) -> None:
    """Measured after a first version, since the library keeps some of what it took for that one."""
    settings = NetworkSettings(device="cpu", warm_up_seconds=0.0, prepare_sizes=False)
    loading.load(bundle, settings).close()
    with contextlib.closing(loading.load(bundle, settings)) as version:
        before = memory.resident()
        for name in (NAME, "line_orientation"):
            slot, facts = version.network(name)
            height, width = facts.grid.height.minimum, facts.grid.width.minimum
            slot.network.infer(np.zeros((1, height, width, 3), np.uint8))
        taken = memory.resident() - before
    assert taken > 8 << 20


def test_one_that_is_another_network_is_found_when_its_version_is_loaded(bundle: Bundle) -> None:
    another = bundle.onnx("det").read_bytes()
    bundle.onnx(NAME).write_bytes(another)
    record = file_record(another)
    files = json.loads((bundle.path / MANIFEST).read_text())["files"]
    files[f"{NAME}.onnx"] = {"sha256": record.sha256, "bytes": record.bytes}
    two_models.change(bundle.path, files=files)
    with pytest.raises(BundleError, match=f"the {NAME} network of "):
        loading.load(Bundle.open(bundle.path), NetworkSettings(device="cpu"))
