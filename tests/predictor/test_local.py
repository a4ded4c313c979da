"""The local predictor: what it checks, what it answers with real networks, and when it is ready."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import pytest_asyncio

from ppocr.contract import BundleFacts, DetFacts, Lines, Normalisation, RecFacts
from ppocr_api.errors import BundleError, DeadlineExceeded, InvalidRequest, NotFound, Unavailable
from predictor import local
from predictor.batching import Scheduler
from predictor.engines.base import Capabilities
from predictor.loading import find, limits, load
from predictor.local import LocalPredictor, blocks_of, check_image
from predictor.settings import NetworkSettings
from predictor.versions import LoadedVersion, Versions
from tests import needs
from tests.predictor.batching.stand_ins import Held, det, rec, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8

REC = RecFacts(characters=("", "a"))
UNIT = Normalisation("RGB", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def lines_of(*widths: int, seed: int = 0) -> Lines:
    size = sum(widths) * 48 * 3
    return Lines(np.random.default_rng(seed).integers(0, 255, size, np.uint8), np.array(widths, np.int32))


def test_blocks_are_views_of_the_stretches_of_equal_widths() -> None:
    lines = lines_of(64, 64, 320, 32, 32, 32, 64)
    blocks = blocks_of(lines, REC)
    assert [block.shape for block in blocks] == [(2, 48, 64, 3), (1, 48, 320, 3), (3, 48, 32, 3), (1, 48, 64, 3)]
    assert np.array_equal(np.concatenate([block.ravel() for block in blocks]), lines.pixels)
    assert all(np.shares_memory(block, lines.pixels) for block in blocks)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (lines_of(), "at least one line"),
        (lines_of(64, 33), "line 1 is 33 wide"),
        (lines_of(64, 0), "from 32 to 3200 in steps of 32; line 1 is 0 wide"),
        (Lines(np.zeros(0, np.uint8), np.array([32, -32], np.int32)), "line 1 is -32 wide"),
        (lines_of(3232), "line 0 is 3232 wide"),
        (Lines(np.zeros(100, np.uint8), np.array([32], np.int32)), "have 4608 bytes in pixels; there are 100"),
        (Lines(np.zeros(4608, np.float32), np.array([32], np.int32)), "pixels UINT8"),
        (Lines(np.zeros(4608, np.uint8), np.array([32.0])), r"widths INT32 \[N\]"),
        (Lines(np.zeros((1, 48, 32, 3), np.uint8), np.array([32], np.int32)), r"\[1, 48, 32, 3\]"),
    ],
)
def test_lines_that_the_network_cannot_take_are_refused(lines: Lines, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        blocks_of(lines, REC)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((64, 65, 3), np.uint8), "multiples of 32; this is 64x65"),
        (np.zeros((0, 64, 3), np.uint8), "multiples of 32; this is 0x64"),
        (np.zeros((4032, 32, 3), np.uint8), "at most 4000 pixels; this is 4032x32"),
        (np.zeros((64, 64, 4), np.uint8), r"UINT8 \[H,W,3\]; this is uint8 \[64, 64, 4\]"),
        (np.zeros((64, 64), np.uint8), r"\[64, 64\]"),
        (np.zeros((64, 64, 3), np.float32), "this is float32"),
    ],
)
def test_images_off_the_grid_are_refused(image: U8, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        check_image(image, DetFacts())


def one(loaded: LoadedVersion) -> Versions:
    versions = Versions()
    versions.put_in(loaded)
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
    facts = await real.facts()
    answer = await real.det(np.full((96, 160, 3), 255, np.uint8))
    assert answer.probability.dtype == np.uint8
    assert answer.probability.shape == (96, 160)
    assert answer.version == facts.identity
    lines = lines_of(64, 96, 96, 320, 64)
    together = await real.rec(lines)
    assert together.version == facts.identity
    assert together.steps.dtype == np.int32
    assert len(together.ids) == len(together.probabilities) == together.steps.sum()
    assert together.ids.dtype == np.int32
    assert together.probabilities.dtype == np.float32
    byte = step = 0
    for width, steps in zip(lines.widths.tolist(), together.steps.tolist(), strict=True):
        size = width * 48 * 3
        alone = await real.rec(Lines(lines.pixels[byte : byte + size], np.array([width], np.int32)))
        assert np.array_equal(alone.ids, together.ids[step : step + steps])
        byte, step = byte + size, step + steps


async def test_concurrent_images_get_their_own_answers(real: LocalPredictor) -> None:
    asked = [lines_of(64, 64, 128, 320, seed=seed) for seed in range(6)]
    alone = [await real.rec(lines) for lines in asked]
    together = await asyncio.gather(*(real.rec(lines) for lines in asked))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.steps, other.steps)
        assert np.array_equal(one.ids, other.ids)


async def test_real_networks_refuse_what_they_cannot_take_and_keep_deadlines(real: LocalPredictor) -> None:
    with pytest.raises(InvalidRequest):
        await real.det(np.zeros((100, 100, 3), np.uint8))
    with pytest.raises(InvalidRequest):
        await real.rec(lines_of(31))
    with pytest.raises(DeadlineExceeded):
        await real.rec(lines_of(64), deadline=time.monotonic() - 1)
    with pytest.raises(NotFound, match="no version '99'"):
        await real.rec(lines_of(64), version="99")
    assert await real.ready()


class Steps(Held):
    """Answers in the shape of rec."""

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        _, row = super().infer(pixels)
        return row.astype(np.int32), row.astype(np.float32)


def watched(network: Steps, hang_seconds: float = 60.0) -> LocalPredictor:
    facts = BundleFacts("small", "1", DetFacts(), REC, UNIT, UNIT)
    capabilities = Capabilities("test", "CPU", "f32", 1, 0)
    loaded = LoadedVersion(facts, capabilities, det(network), rec(network), close=network.close)
    return LocalPredictor(one(loaded), Scheduler(), hang_seconds)


async def test_closing_answers_what_was_accepted_and_then_closes_the_networks() -> None:
    network = Steps()
    predictor = watched(network)
    asked = asyncio.create_task(predictor.rec(lines_of(32)))
    await network.entered()
    closing = asyncio.create_task(predictor.close())
    await settle()
    assert not await predictor.ready()
    with pytest.raises(Unavailable):
        await predictor.rec(lines_of(32))
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
    hung = asyncio.create_task(predictor.rec(lines_of(32)))
    await network.entered()
    waiting = asyncio.create_task(predictor.rec(lines_of(64)))
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
