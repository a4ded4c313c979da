"""PaddleX' and NVIDIA's formats read an image by its URL: real networks, and a server on this machine that only tests reach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from ppocr_limits.budget import Budget
from ppocr_local.service import LocalSettings, reader
from tests.small_server import serving
from tests.transformer.routes.exchanges import posted
from transformer.image_file import ImageFile
from transformer.pre_post import OcrTransformer
from transformer.routes.adapter import Adapter, Exchange
from transformer.routes.nim import Nim
from transformer.routes.paddlex import PaddleX
from transformer.settings import UrlSettings
from transformer.urls.fetching import Fetcher
from transformer.urls.url_file import UrlFile

DATA = Path(__file__).parents[2] / "data"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing: tests print enough."""


@pytest.fixture
def address() -> Iterator[str]:
    with serving(partial(Quiet, directory=str(DATA))) as address:
        yield address


async def test_both_formats_read_an_image_by_its_url(address: str) -> None:
    budget = Budget(200_000_000)
    urls = Fetcher(UrlSettings(address), 10_000_000, budget, choose=lambda found: found[0])
    url = f"{address}/075.jpg"
    size = (DATA / "075.jpg").stat().st_size
    async with reader(LocalSettings(prepare_sizes=False)) as networks:
        model = OcrTransformer("ppocr", networks, 32, urls)

        async def ask(adapter: Adapter, message: Any) -> Any:
            answer, _ = await model(Exchange(adapter, posted(message)), headers={})
            return json.loads(answer.body)

        paddlex = await ask(PaddleX(), {"file": url, "visualize": False})
        nim = await ask(Nim(), {"input": [{"type": "image_url", "url": url}], "merge_levels": ["sentence"]})
    (page,) = (each["prunedResult"] for each in paddlex["result"]["ocrResults"])
    assert "LIAN HING STATIONERY SDN BHD" in page["rec_texts"]
    assert [each["text_prediction"]["text"] for each in nim["data"][0]["text_detections"]] == page["rec_texts"]
    assert nim["usage"]["images_size_mb"] == pytest.approx(size / 1024 / 1024)
    assert budget.held == 0


def test_what_the_formats_take_for_a_url() -> None:
    for text in ("https://images.example.com/a.png", "HTTP://x.example/a"):
        for asked in (
            PaddleX().parse(posted({"file": text})),
            Nim().parse(posted({"input": [{"type": "image_url", "url": text}]})),
        ):
            (file,) = asked.files
            assert isinstance(file, UrlFile)
            assert (file.url, file.data) == (text, b"")
    (file,) = PaddleX().parse(posted({"file": "aHR0cDovLw==", "fileType": 1})).files
    assert type(file) is ImageFile
