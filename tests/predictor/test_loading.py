"""Which bundle is served, and within which limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppocr_api.errors import BundleError
from ppocr_limits.cpus import available_cpus
from ppocr_settings import settings as settings_of
from predictor.engines.base import Capabilities
from predictor.loading import (
    BATCH_PIXELS,
    CPU_QUEUE_PIXELS,
    GPU_QUEUE_PIXELS,
    engine,
    find,
    limits,
)
from predictor.repository.folders import version_order
from predictor.settings import NetworkSettings, PredictorSettings
from predictor.versions import LoadedVersion
from tests.predictor import facts
from tests.predictor.batching.stand_ins import Checksums, det, rec
from tests.predictor.facts import on_disk


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for version in ("9", "10", "beta"):
        on_disk(tmp_path / "small" / version, "small", version)
    (tmp_path / "small" / "empty").mkdir()
    return tmp_path


def test_the_highest_version_of_the_only_bundle_is_served(repository: Path) -> None:
    assert find(NetworkSettings(model_dir=str(repository))).open().label == "small/10"


def test_a_version_can_be_asked_for(repository: Path) -> None:
    assert find(NetworkSettings(model_dir=str(repository), bundle_version="beta")).open().label == "small/beta"
    with pytest.raises(BundleError, match="small has no version '11'; it has beta, 9, 10"):
        find(NetworkSettings(model_dir=str(repository), bundle_version="11")).open()


def test_of_several_bundles_one_must_be_named(repository: Path) -> None:
    on_disk(repository / "large" / "1", "large", "1")
    with pytest.raises(BundleError, match="must say which bundle to serve; the repository has large, small"):
        find(NetworkSettings(model_dir=str(repository))).open()
    assert find(NetworkSettings(model_dir=str(repository), bundle="large")).open().label == "large/1"
    with pytest.raises(BundleError, match="no bundle 'huge'; it has large, small"):
        find(NetworkSettings(model_dir=str(repository), bundle="huge")).open()


def test_a_folder_with_a_manifest_is_the_bundle_itself(repository: Path) -> None:
    assert find(NetworkSettings(model_dir=str(repository / "small" / "9"))).open().label == "small/9"


def test_an_empty_or_missing_repository_is_said_without_its_path(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(BundleError, match="has none") as caught:
            find(NetworkSettings(model_dir=str(folder))).open()
        assert str(tmp_path) not in caught.value.message


def test_versions_sort_by_number_and_names_below() -> None:
    assert sorted(["10", "beta", "9", "1.2"], key=version_order) == ["1.2", "beta", "9", "10"]


@pytest.mark.parametrize(
    ("device", "workers", "prefetch", "queue"),
    [("CPU", 1, False, CPU_QUEUE_PIXELS * available_cpus()), ("GPU", 2, True, GPU_QUEUE_PIXELS)],
)
def test_limits_follow_the_device(device: str, workers: int, prefetch: bool, queue: int) -> None:
    capabilities = Capabilities("test", device, "f32", 1, BATCH_PIXELS)
    networks = {"det": det(Checksums()), "rec": rec(Checksums())}
    loaded = LoadedVersion(facts.bundle(), capabilities, networks, close=lambda: None)
    chosen = limits(NetworkSettings(batch_wait_ms=2.0), loaded)
    assert (chosen.workers, chosen.prefetch, chosen.max_queue_pixels) == (workers, prefetch, queue)
    assert chosen.batch_wait == 0.002
    asked = limits(NetworkSettings(workers=3, max_queue_pixels=1000), loaded)
    assert (asked.workers, asked.max_queue_pixels) == (3, 1000)


def test_settings_come_from_flags_and_variables() -> None:
    settings = settings_of.load(
        PredictorSettings, ["--engine=openvino", "--max-batch-pixels", "5000"], {"PPOCR_DEVICE": "cpu"}
    )
    assert (settings.engine, settings.max_batch_pixels, settings.device) == ("openvino", 5000, "cpu")
    _, options = engine(settings)
    assert options.device == "cpu"
