"""Which lines are read again, and that all of a page are read again in one call of the network."""

from __future__ import annotations

import io
import re
from random import Random

import httpx
import numpy as np
from PIL import Image

from bench.text import draw, fonts
from bench.text.kinds import short_lines
from tests import needs
from tests.services import Service
from transformer.algorithms.ctc import Reading
from transformer.pipeline.read_again import CLEAR, settled


def reading(confidence: float, characters: int = 20) -> Reading:
    return Reading("x" * characters, confidence, ("x",) * characters, np.zeros(0), np.zeros(0, np.float32), 0.0)


def test_a_line_whose_other_reading_could_win_is_read_the_other_way_round() -> None:
    assert settled([reading(1 - CLEAR), reading(1 - CLEAR - 0.01)]).tolist() == [True, False]


def test_and_so_is_one_without_text() -> None:
    assert settled([reading(0.0, 0)]).tolist() == [False]
    assert settled([]).tolist() == []


def test_narrow_lines_and_turned_ones_are_read_again_in_one_call(service: Service) -> None:
    try:
        fonts.fetch(fonts.FOLDER)
    except OSError as error:
        needs.missing("the fonts", str(error))
    kind = next(kind for kind in short_lines.KINDS if kind.name == "narrow type")
    case = max(kind.draw(Random(1), 6), key=lambda case: -Image.open(io.BytesIO(case.image)).width)
    narrow, turned = Image.open(io.BytesIO(case.image)), "This line stands upside down"
    line = draw.page([turned], draw.Type(fonts.LATIN[0], 24)).rotate(180)
    page = Image.new("RGB", (max(narrow.width, line.width), narrow.height + line.height), "white")
    page.paste(narrow, (0, 0))
    page.paste(line, (0, narrow.height))
    before = calls(service)
    answer = httpx.post(
        service.url + "/v1/models/ppocr:predict",
        content=draw.png(page),
        headers={"content-type": "image/png"},
        timeout=60,
    )
    texts = [each["text"] for each in answer.json()["predictions"][0]["lines"]]
    assert sorted(texts) == sorted((*case.expected, turned))
    assert calls(service) - before == 2


def calls(service: Service) -> float:
    """How often the network for lines was asked so far."""
    metrics = httpx.get(service.url + "/metrics", timeout=60).text
    found = re.search(r'^ppocr_stage_seconds_count\{stage="rec"\} (\S+)', metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0
