"""The local predictor: what it checks, what it answers with real networks, and when it is ready."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import pytest_asyncio

from ppocr.contract import Answer, Items
from ppocr_api.errors import BundleError, DeadlineExceeded, InvalidRequest, NotFound, Unavailable
from predictor import local
from predictor.batching import Scheduler
from predictor.engines.base import Capabilities
from predictor.loading import find, limits, load
from predictor.local import LocalPredictor
from predictor.settings import NetworkSettings
from predictor.versions import LoadedVersion, Versions
from tests import needs
from tests.predictor import facts
from tests.predictor.batching.stand_ins import Held, det, rec, settle
from tests.predictor.receipts import items
from tests.predictor.test_blocks import lines_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8


def one(loaded: LoadedVersion) -> Versions:
    versions = Versions()
    versions.activate(loaded)
    return versions


@pytest_asyncio.fixture
async def real() -> AsyncIterator[LocalPredictor]:
    """The built-in bundle on whatever engine is installed."""
    settings = NetworkSettings(device="cpu", warm_up_seconds=0.0)
    try:
        bundle = find(settings).open()
    except BundleError:
        needs.missing("the built-in bundle")
    loaded = await asyncio.to_thread(load, bundle, settings)
    predictor = LocalPredictor(one(loaded), Scheduler(limits(settings, loaded)))
    yield predictor
    await predictor.close()


async def test_real_networks_answer_in_the_contract_s_shapes_and_order(real: LocalPredictor) -> None:
    identity = (await real.facts()).identity
    answer = await real.run("det", items(np.full((1, 96, 160, 3), 255, np.uint8), np.zeros((2, 64, 32, 3), np.uint8)))
    assert answer.outputs["probability"].dtype == np.uint8
    assert answer.outputs["probability"].shape == (96 * 160 + 2 * 64 * 32,)
    assert answer.counts.tolist() == [96 * 160, 64 * 32, 64 * 32]
    assert answer.version == identity
    lines = lines_of(64, 96, 96, 320, 64)
    together = await real.run("rec", lines)
    assert together.version == identity
    assert together.counts.dtype == np.int32
    ids, probabilities = together.outputs["ids"], together.outputs["probabilities"]
    assert len(ids) == len(probabilities) == together.counts.sum()
    assert ids.dtype == np.int32
    assert probabilities.dtype == np.float32
    byte = step = 0
    for width, steps in zip(lines.sizes[:, 1].tolist(), together.counts.tolist(), strict=True):
        size = width * 48 * 3
        alone = await real.run("rec", Items(lines.pixels[byte : byte + size], np.array([[48, width]], np.int32)))
        assert np.array_equal(alone.outputs["ids"], ids[step : step + steps])
        byte, step = byte + size, step + steps


async def test_concurrent_images_get_their_own_answers(real: LocalPredictor) -> None:
    asked = [lines_of(64, 64, 128, 320, seed=seed) for seed in range(6)]
    alone = [await real.run("rec", lines) for lines in asked]
    together = await asyncio.gather(*(real.run("rec", lines) for lines in asked))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.counts, other.counts)
        assert np.array_equal(one.outputs["ids"], other.outputs["ids"])


async def test_real_networks_refuse_what_they_cannot_take_and_keep_deadlines(real: LocalPredictor) -> None:
    with pytest.raises(InvalidRequest):
        await real.run("det", items(np.zeros((1, 100, 100, 3), np.uint8)))
    with pytest.raises(InvalidRequest):
        await real.run("rec", lines_of(31))
    with pytest.raises(DeadlineExceeded):
        await real.run("rec", lines_of(64), deadline=time.monotonic() - 1)
    with pytest.raises(NotFound, match="no version '99'"):
        await real.run("rec", lines_of(64), version="99")
    with pytest.raises(NotFound, match="no network 'cls'; it has "):
        await real.run("cls", lines_of(64))
    assert await real.ready()


class Steps(Held):
    """Answers in the shape of a recognition network."""

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        _, row = super().infer(pixels)
        return row.astype(np.int32), row.astype(np.float32)


def watched(network: Steps, hang_seconds: float = 60.0) -> LocalPredictor:
    capabilities = Capabilities("test", "CPU", "f32", 1, 0)
    networks = {"det": det(network), "rec": rec(network)}
    loaded = LoadedVersion(facts.bundle(), capabilities, networks, close=network.close)
    return LocalPredictor(one(loaded), Scheduler(), hang_seconds)


def read(predictor: LocalPredictor, width: int) -> asyncio.Task[Answer]:
    return asyncio.create_task(predictor.run("rec", lines_of(width)))


async def test_closing_answers_what_was_accepted_and_then_closes_the_networks() -> None:
    network = Steps()
    predictor = watched(network)
    asked = read(predictor, 32)
    await network.entered()
    closing = asyncio.create_task(predictor.close())
    await settle()
    assert not await predictor.ready()
    with pytest.raises(Unavailable):
        await read(predictor, 32)
    assert not network.closed
    network.let_go()
    await asyncio.gather(asked, closing)
    assert network.closed


async def test_a_hung_forward_is_neither_alive_nor_ready_and_does_not_keep_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local, "FORWARD_SECONDS", 0.05)
    network = Steps()
    predictor = watched(network, hang_seconds=0.02)
    assert await predictor.ready()
    hung = read(predictor, 32)
    await network.entered()
    waiting = read(predictor, 64)
    began = time.monotonic()
    while time.monotonic() - began < 0.02:
        await settle()
    assert not predictor.alive()
    assert not await predictor.ready()
    await predictor.close(drain_seconds=0.05)
    with pytest.raises(Unavailable):
        await waiting
    assert not network.closed
    network.let_go()
    await hung


async def test_networks_that_do_not_close_do_not_keep_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "CLOSE_SECONDS", 0.05)
    may_close = threading.Event()
    networks = {"det": det(Steps()), "rec": rec(Steps())}
    capabilities = Capabilities("test", "CPU", "f32", 1, 0)
    versions = one(LoadedVersion(facts.bundle(), capabilities, networks, close=lambda: _wait(may_close)))
    predictor = LocalPredictor(versions, Scheduler())
    began = time.monotonic()
    await predictor.close()
    assert time.monotonic() - began < 5
    assert versions.leaving() != []
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "unload"] == [True]
    may_close.set()
    await versions.left()


def _wait(event: threading.Event) -> None:
    assert event.wait(20)


async def test_what_waits_counts_by_network_and_networks_that_nothing_waits_for_count_nothing() -> None:
    network = Steps()
    predictor = watched(network)
    assert predictor.stats().queue_items == {"det": 0, "rec": 0}
    first = read(predictor, 32)
    await network.entered()
    second = read(predictor, 64)
    await settle()
    assert predictor.stats().queue_items == {"det": 0, "rec": 1}
    assert predictor.stats().queue_pixels == {"det": 0, "rec": 48 * 64}
    network.let_go(2)
    await asyncio.gather(first, second)
    await predictor.close()
