"""Pages of many lines and words: what is made of them, others don't wait for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from ppocr.call import Call
from ppocr.contract import Answer, BundleFacts, Items
from ppocr.serving.wire import WireRequest
from ppocr_api.document import Page
from ppocr_limits.budget import Budget
from tests.networks import DET, rec
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.pre_post import Asked, Done, OcrTransformer
from transformer.reader import Reader, Wanted
from transformer.routes.adapter import Exchange, ReadRequest
from transformer.routes.v1 import V1
from transformer.settings import ReaderSettings, UrlSettings
from transformer.urls.fetching import Fetcher

pytestmark = pytest.mark.alone

ROWS, WORDS = 600, 80
FACTS = BundleFacts("dense", "1", (DET, rec("", *"永和九年歲在癸丑暮春之初會於會稽山陰之蘭亭")), "0")
IMAGE = bytes(cv2.imencode(".png", np.full((3968, 3968), 255, np.uint8))[1])
#: One look, in the image's own size.
PARAMETERS = Parameters(return_word_box=True, columns=True, text_det_limit_side_len=4000, text_det_limit_type="max")


@dataclass
class Dense:
    """Finds ROWS lines of WORDS characters on every page. It answers at once, as if others had computed for it."""

    closed: bool = field(default=False)

    async def facts(self, version: str | None = None) -> BundleFacts:
        return FACTS

    async def run(
        self, network: str, items: Items, *, version: str | None = None, deadline: float | None = None, share: str = ""
    ) -> Answer:
        if network == "det":
            height, width = items.sizes[0].tolist()
            found = np.zeros((height, width), np.uint8)
            for row in range(ROWS // 3):
                top = 4 + row * (height - 8) // (ROWS // 3)
                for left in range(3):
                    found[top : top + 8, 8 + left * width // 3 : (left + 1) * width // 3 - 8] = 255
            return Answer({"probability": found.reshape(-1)}, np.array([height * width], np.int32), FACTS.identity)
        counts = (items.sizes[:, 1] // 8).astype(np.int32)
        steps = np.concatenate([np.arange(count) for count in counts])
        # A character at every second step, each another one than the last, until there are WORDS of them.
        ids = np.where((steps % 2 == 0) & (steps < 2 * WORDS), 1 + steps // 2 % 20, 0).astype(np.int32)
        return Answer({"ids": ids, "probabilities": np.full(len(ids), 0.99, np.float32)}, counts, FACTS.identity)

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        self.closed = True


class Others:
    """Somebody else who wants the event loop: the longest that it made him wait, as a part of all the time."""

    async def __aenter__(self) -> Others:
        self._longest, self._began = 0.0, time.monotonic()
        self._task = asyncio.create_task(self._wait())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0.01)
        self._task.cancel()
        self.part = self._longest / (time.monotonic() - self._began)

    async def _wait(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            self._longest = max(self._longest, time.monotonic() - began)


async def test_nobody_waits_for_the_words_of_a_dense_page_nor_for_a_long_answer() -> None:
    reader = Reader(Dense(), ReaderSettings())  # type: ignore[arg-type]
    async with Others() as others:
        (page,) = await reader.read_many([ImageFile(IMAGE)], Wanted(PARAMETERS), Call())
    assert isinstance(page, Page)
    assert len(page.lines) > 0.9 * ROWS and len(page.lines[5].words or ()) == WORDS
    assert others.part < 0.25  # half of it is what the lines and words take
    pages = [page] * 6
    model = OcrTransformer("ppocr", reader, 32, Fetcher(UrlSettings(), 1000, Budget(1000)))
    asked = ReadRequest([ImageFile(IMAGE)] * len(pages), PARAMETERS)
    async with Others() as others:
        answer = await model.postprocess(Done(Asked(Exchange(V1(), WireRequest(Call())), asked), pages))
    await reader.close()
    assert answer.body.count(b'"confidence"') == len(pages) * sum(1 + len(line.words or ()) for line in page.lines)
    assert others.part < 0.5
