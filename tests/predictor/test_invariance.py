"""A line's text doesn't depend on which lines it shares a batch with: the real networks, the real scheduler."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import numpy as np
import pytest

from ppocr.contract import RECOGNITION, Items
from predictor.local import LocalPredictor
from predictor.opening import open_predictor
from predictor.settings import NetworkSettings
from tests.predictor import receipts

ROUNDS = 1000 if os.environ.get("PPOCR_NIGHTLY") else 100


@pytest.fixture
async def predictor() -> AsyncIterator[LocalPredictor]:
    predictor = await open_predictor(NetworkSettings(warm_up_seconds=0.0))
    yield predictor
    await predictor.close()


async def test_a_line_reads_alone_as_it_reads_among_a_hundred_random_batches(predictor: LocalPredictor) -> None:
    network = (await predictor.facts()).of_task(RECOGNITION)
    assert network is not None
    groups = [group for name in ("075", "235") for group in receipts.lines(name, network.grid)]
    narrow = [receipts.items(line[None]) for group in groups if group.shape[2] <= 160 for line in group]
    assert len(narrow) > 30

    async def read(line: Items) -> str:
        (text,) = receipts.texts(await predictor.run(network.name, line), network.labels)
        return text

    alone = [await read(line) for line in narrow]
    assert len(set(alone)) > 20
    rng = np.random.default_rng(7)
    sizes = []
    for _ in range(ROUNDS):
        chosen = rng.choice(len(narrow), size=rng.integers(2, 17))
        before = predictor.stats()
        together = await asyncio.gather(*(read(narrow[index]) for index in chosen))
        after = predictor.stats()
        sizes.append((after.items - before.items) / (after.batches - before.batches))
        assert together == [alone[index] for index in chosen]
    assert max(sizes) >= 2, "no lines shared a batch: the test shows nothing"
