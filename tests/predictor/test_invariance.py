"""A line's text doesn't depend on which lines it shares a batch with: the real networks, the real scheduler."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from ppocr.contract import Lines
from predictor.local import LocalPredictor
from predictor.opening import open_predictor
from predictor.settings import NetworkSettings
from transformer import ctc
from transformer.algorithms.boxes import boxes
from transformer.algorithms.crops import crops
from transformer.algorithms.det_input import det_input
from transformer.images import decode
from transformer.parameters import Parameters

ROUNDS = 1000 if os.environ.get("PPOCR_NIGHTLY") else 100
DATA = Path(__file__).parent.parent / "data"


@pytest.fixture
async def predictor() -> AsyncIterator[LocalPredictor]:
    predictor = await open_predictor(NetworkSettings(warm_up_seconds=0.0))
    yield predictor
    await predictor.close()


async def lines_of(predictor: LocalPredictor, image: Path) -> list[Lines]:
    """Each line of an image as a request of its own."""
    pixels, facts = decode(image.read_bytes()), await predictor.facts()
    found = await predictor.det(det_input(pixels, facts.det, Parameters()))
    quads = boxes(found.probability, pixels.shape[:2], facts.det, Parameters())
    lines, _ = crops(pixels, quads, facts.rec)
    parts = np.split(lines.pixels, np.cumsum(lines.widths.astype(np.intp) * facts.rec.height * 3)[:-1])
    return [Lines(part, lines.widths[i : i + 1]) for i, part in enumerate(parts)]


async def test_a_line_reads_alone_as_it_reads_among_a_hundred_random_batches(predictor: LocalPredictor) -> None:
    characters = (await predictor.facts()).rec.characters
    lines = [line for name in ("075.jpg", "585.jpg") for line in await lines_of(predictor, DATA / name)]
    narrow = [line for line in lines if line.widths[0] <= 160]
    assert len(narrow) > 30

    async def read(line: Lines) -> str:
        (reading,) = ctc.decode(await predictor.rec(line), characters)
        return reading.text

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
