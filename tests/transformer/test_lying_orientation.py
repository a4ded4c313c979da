"""What a predictor says of orientations, and facts of networks that can't be, are not believed either: 502 or 503, at no cost."""

from __future__ import annotations

import json
import time
from typing import Any

import cv2
import numpy as np
import pytest

from ppocr.facts_json import facts_to_json
from ppocr_api.document import Page
from ppocr_api.errors import BadAnswer, BundleError, InvalidImage
from tests.transformer.lying import ORIENTED, Change, Liar, served
from transformer.algorithms.thumbnails import line_thumbnails
from transformer.parameters import Parameters
from transformer.predictor_channel import target
from transformer.predictor_client import PredictorClient
from transformer.reader import Reader
from transformer.settings import ReaderSettings

#: A page, and a strip, which detection looks at in tiles.
IMAGES = [bytes(cv2.imencode(".png", np.full(size, 255, np.uint8))[1]) for size in ((64, 96), (3000, 100))]
PARAMETERS = Parameters(use_doc_orientation_classify=True, use_textline_orientation=True)


@pytest.fixture
def liar() -> Liar:
    liar = Liar()
    liar.facts = facts_to_json(ORIENTED)
    return liar


async def read(liar: Liar, image: bytes = IMAGES[0]) -> Page:
    async with served(liar) as address:
        reader = Reader(PredictorClient(target(address, 0)), ReaderSettings())
        try:
            return await reader.read(image, PARAMETERS)
        finally:
            await reader.close()


async def test_an_honest_answer_is_read(liar: Liar) -> None:
    page = await read(liar)
    assert page.angle == 0 and [line.angle for line in page.lines] == [0, 0]


LIES: dict[str, Change] = {
    "labels too high": lambda outputs: {**outputs, "label": outputs["label"] + 9},
    "negative labels": lambda outputs: {**outputs, "label": outputs["label"] - 1},
    "the lowest label": lambda outputs: {**outputs, "label": np.full_like(outputs["label"], -(2**31))},
    "INT64": lambda outputs: {**outputs, "label": outputs["label"].astype(np.int64)},
    "NaN": lambda outputs: {**outputs, "probability": outputs["probability"] * np.float32(np.nan)},
    "above 1": lambda outputs: {**outputs, "probability": outputs["probability"] + 1},
    "below 0": lambda outputs: {**outputs, "probability": -outputs["probability"]},
    "FP64": lambda outputs: {**outputs, "probability": outputs["probability"].astype(np.float64)},
    "twice as many": lambda outputs: {name: np.repeat(array, 2) for name, array in outputs.items()},
    "two of each": lambda outputs: {name: np.stack((array, array), 1) for name, array in outputs.items()},
    "none": lambda outputs: {name: array[:0] for name, array in outputs.items()},
    "labels alone": lambda outputs: {"label": outputs["label"]},
    "nothing": lambda outputs: {},
}


@pytest.mark.parametrize("lie", LIES)
async def test_lies(liar: Liar, lie: str) -> None:
    liar.orientation = LIES[lie]
    with pytest.raises(BadAnswer):
        await read(liar)


def axis(minimum: int, maximum: int, step: int, usual: int) -> dict[str, int]:
    return {"minimum": minimum, "maximum": maximum, "step": step, "usual": usual}


HUGE, COARSE, DISTANT = (
    axis(100_000, 100_000, 1, 100_000),
    axis(32, 100_000, 99_968, 32),
    axis(50_000, 100_000, 50_000, 50_000),
)


@pytest.mark.parametrize("image", IMAGES, ids=["page", "strip"])
@pytest.mark.parametrize("network", range(4))
@pytest.mark.parametrize("sides", [HUGE, COARSE, DISTANT], ids=["huge", "coarse", "distant"])
async def test_sizes_that_cant_be(liar: Liar, sides: dict[str, int], network: int, image: bytes) -> None:
    raw = json.loads(liar.facts)
    raw["networks"][network]["grid"] = {"height": sides, "width": sides}
    liar.facts = json.dumps(raw)
    began = time.thread_time()
    with pytest.raises(BadAnswer):
        await read(liar, image)
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("labels", [[], ["9" * 30], ["99999999999", "0"], ["0", "-90"], ["4" * 5000], ["0", "45"]])
@pytest.mark.parametrize("network", [0, 2])
async def test_labels_that_are_no_angles(liar: Liar, network: int, labels: list[Any]) -> None:
    raw = json.loads(liar.facts)
    raw["networks"][network]["labels"] = labels
    liar.facts = json.dumps(raw)
    with pytest.raises((BadAnswer, BundleError)):
        await read(liar)


def test_many_large_thumbnails_are_refused_before_they_are_made() -> None:
    network = ORIENTED.networks[2]
    boxes = np.tile(np.array([[0, 0], [9, 0], [9, 9], [0, 9]], np.float32), (1000, 1, 1))
    image = np.zeros((10, 10, 3), np.uint8)
    assert line_thumbnails(image, boxes, network, 1000 * 80 * 160).shape == (1000, 80, 160, 3)
    with pytest.raises(InvalidImage):
        line_thumbnails(image, boxes, network, 1000 * 80 * 160 - 1)
