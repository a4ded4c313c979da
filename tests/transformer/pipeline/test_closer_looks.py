"""Small print, cut out words and curved lines; and what the answer says where a page is too large for a closer look."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np
import pytest

from bench.text import draw, fonts
from bench.text.case import Case, Kind
from bench.text.kinds import curved, large_pages
from ppocr_client import GrpcClient
from tests import needs, services
from tests.services import Service

URL = "/v1/models/ppocr:predict"


@pytest.fixture(scope="module", autouse=True)
def _fonts() -> None:
    try:
        fonts.fetch(fonts.FOLDER)
    except OSError as error:
        needs.missing("the fonts", str(error))


def case(kind: Kind) -> Case:
    return kind.draw(Random(3), 1)[0]


def read(service: Service, image: bytes, **parameters: str) -> dict[str, Any]:
    answer = httpx.post(
        service.url + URL, content=image, params=parameters, headers={"content-type": "image/png"}, timeout=120
    )
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()["predictions"][0]
    return page


@pytest.fixture(scope="module")
def small_print() -> Case:
    kind = next(kind for kind in large_pages.KINDS if kind.name.startswith("small print"))
    return case(kind)


def test_a_page_within_the_budget_has_no_warning(service: Service, small_print: Case) -> None:
    page = read(service, small_print.image)
    assert "warnings" not in page
    assert len(page["lines"]) >= len(small_print.expected)


def test_a_request_that_sets_the_side_has_one_look(service: Service, small_print: Case) -> None:
    page = read(service, small_print.image, text_det_limit_side_len="640")
    assert "warnings" not in page
    assert sum(len(line["text"]) for line in page["lines"]) < 0.9 * sum(map(len, small_print.expected))


def test_a_page_over_the_budget_says_that_text_may_be_missing(tmp_path: Path) -> None:
    image, _ = large_pages.filled(Random(3), 3000, 4000, 22, 20)
    with services.all_in_one(tmp_path / "log", "--max_page_pixels", "1000000") as service:
        page = read(service, image)
        with GrpcClient(service.grpc) as client:
            [of_client] = client.read_batch([image])
    [warning] = page["warnings"]
    assert "small text may be missing" in warning and "max_page_pixels is 1,000,000" in warning
    assert of_client.warnings == (warning,)


@pytest.mark.parametrize("padding", [0, 4])
def test_a_slanted_word_that_was_cut_out_is_found(service: Service, padding: int) -> None:
    word = draw.tight("auf", draw.Type("source-serif-it", 22), padding, draw.WHITE, (20, 40, 90))
    assert [line["text"] for line in read(service, draw.png(word))["lines"]] == ["auf"]


def test_a_curved_line_is_a_polygon_and_its_words_lie_along_it(service: Service) -> None:
    arc = case(curved.KINDS[0])
    page = read(service, arc.image, text_det_box_type="poly", return_word_box="true")
    line = max(page["lines"], key=lambda line: len(line["text"]))
    assert len(line["points"]) > 8 and len(line["words"]) >= 2
    x, y = np.array(line["points"]).T
    for word in line["words"]:
        centre = np.array(word["points"]).mean(axis=0)
        assert x.min() <= centre[0] <= x.max() and y.min() <= centre[1] <= y.max()
    plain = read(service, arc.image)
    assert all(len(line["points"]) == 4 for line in plain["lines"])


def test_v2_has_the_rectangle_round_a_curved_line(service: Service) -> None:
    arc = case(curved.KINDS[0])
    with GrpcClient(service.grpc) as client:
        page = client.read(arc.image, text_det_box_type="poly")
    assert page.lines and all(len(line.points) == 4 for line in page.lines)
