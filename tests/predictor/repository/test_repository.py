"""What becomes of a version that was loaded when something goes wrong before, or while, it begins to serve."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ppocr_api.errors import InvalidRequest, Unavailable
from predictor.bundle import Bundle
from predictor.engines.base import Capabilities
from predictor.repository import folders as on_disk
from predictor.repository.failures import Failures
from predictor.repository.memory import MemoryEstimate
from predictor.repository.repository import BundleRepository
from predictor.versions import LoadedVersion, Versions
from tests.predictor import facts
from tests.predictor.batching.stand_ins import Checksums, det, rec

PATIENCE = 20.0


class Loads:
    """Loads versions that can be watched; waits for `may_end` first, and fails where `error` is set."""

    def __init__(self) -> None:
        self.networks: list[Checksums] = []
        self.began, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()
        self.daemon = False
        self.error: Exception | None = None

    def __call__(self, bundle: Bundle) -> LoadedVersion:
        self.daemon = threading.current_thread().daemon
        self.began.set()
        assert self.may_end.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        network = Checksums()
        self.networks.append(network)
        slots = {"det": det(network), "rec": rec(network)}
        return LoadedVersion(bundle.facts(), Capabilities("test", "CPU", "f32", 1, 0), slots, network.close)


@pytest.fixture
def loads() -> Loads:
    return Loads()


@pytest_asyncio.fixture
async def versions() -> AsyncIterator[Versions]:
    versions = Versions(grace_seconds=0)
    yield versions
    await versions.close()


@pytest.fixture
def repository(tmp_path: Path, versions: Versions, loads: Loads) -> BundleRepository:
    for version in "12":
        facts.on_disk(tmp_path / "small" / version, "small", version)
    return BundleRepository(tmp_path, "small", "", versions, loads, Failures(), MemoryEstimate())


async def test_a_folder_that_cannot_be_read_after_the_load_does_not_keep_the_version_from_serving(
    repository: BundleRepository, versions: Versions, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    await repository.load("small", "1")
    scan = on_disk.scan

    def failing(root: Path) -> list[on_disk.Entry]:
        if loads.began.is_set():
            raise PermissionError(13, "Permission denied")
        return scan(root)

    loads.began.clear()
    monkeypatch.setattr(on_disk, "scan", failing)
    assert (await repository.load("small", "2")).version == "2"
    assert versions.serving().facts.version == "2"
    await versions.left()
    assert [network.closed for network in loads.networks] == [True, False]


async def test_a_load_that_fails_leaves_what_serves(
    repository: BundleRepository, versions: Versions, loads: Loads
) -> None:
    await repository.load("small", "1")
    loads.error = OSError(5, "Input/output error")
    with pytest.raises(InvalidRequest, match=r"small/2 could not be loaded: .* Served as before: small/1"):
        await repository.load("small", "2")
    assert versions.serving().facts.version == "1"
    assert [network.closed for network in loads.networks] == [False]
    loads.error = None
    await repository.load("small", "2")
    assert versions.serving().facts.version == "2"


async def test_closing_waits_for_a_load_for_a_bounded_time_and_what_it_brings_is_closed(
    repository: BundleRepository, versions: Versions, loads: Loads
) -> None:
    await repository.load("small", "1")
    loads.began.clear()
    loads.may_end.clear()
    loading = asyncio.create_task(repository.load("small", "2"))
    assert await asyncio.to_thread(loads.began.wait, PATIENCE)
    assert loads.daemon, "the end of the process would wait for the load"
    began = time.monotonic()
    await repository.close(seconds=0.05)
    assert 0.05 <= time.monotonic() - began < 5
    assert not loading.done()
    assert versions.serving().facts.version == "1"
    loads.may_end.set()
    with pytest.raises(Unavailable, match="shutting down"):
        await loading
    assert [network.closed for network in loads.networks] == [False, True]
    assert versions.serving().facts.version == "1"


async def test_nothing_is_loaded_once_it_is_closed(repository: BundleRepository, loads: Loads) -> None:
    await repository.close(seconds=1)
    with pytest.raises(Unavailable, match="shutting down"):
        await repository.load("small")
    assert loads.networks == []


async def test_closing_returns_when_the_load_ends(
    repository: BundleRepository, versions: Versions, loads: Loads
) -> None:
    loads.may_end.clear()
    loading = asyncio.create_task(repository.load("small", "1"))
    assert await asyncio.to_thread(loads.began.wait, PATIENCE)
    closing = asyncio.create_task(repository.close(seconds=PATIENCE))
    loads.may_end.set()
    await closing
    with pytest.raises(Unavailable):
        await loading
    assert [network.closed for network in loads.networks] == [True]
    assert versions.loaded() == []
