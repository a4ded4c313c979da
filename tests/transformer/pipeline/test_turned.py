"""Pages and lines that came turned, read by the real networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from tests import needs, services
from tests.services import Service

IMAGE = Path(__file__).parents[2] / "data" / "235.jpg"
URL = "/v1/models/ppocr:predict"
PAGES, LINES = "use_doc_orientation_classify", "use_textline_orientation"
TURNS = {0: None, 90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def turned(angle: int) -> bytes:
    image, turn = cv2.imread(str(IMAGE)), TURNS[angle]
    assert image is not None
    return bytes(cv2.imencode(".png", image if turn is None else cv2.rotate(image, turn))[1])


def read(service: Service, image: bytes, *parameters: str) -> dict[str, Any]:
    asked = dict.fromkeys(parameters, "true")
    answer = httpx.post(
        service.url + URL, content=image, params=asked, headers={"content-type": "image/png"}, timeout=60
    )
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()["predictions"][0]
    return page


def texts(page: dict[str, Any]) -> list[str]:
    return [line["text"] for line in page["lines"]]


@pytest.fixture(scope="module")
def upright(service: Service) -> dict[str, Any]:
    return read(service, turned(0))


@pytest.mark.parametrize("angle", TURNS)
def test_a_turned_page_is_read_as_an_upright_one(service: Service, upright: dict[str, Any], angle: int) -> None:
    page = read(service, turned(angle), PAGES)
    assert page["angle"] == angle
    assert texts(page) == texts(upright)
    assert [line["confidence"] for line in page["lines"]] == [line["confidence"] for line in upright["lines"]]


@pytest.mark.parametrize("angle", TURNS)
def test_points_are_those_of_the_image_that_came(service: Service, upright: dict[str, Any], angle: int) -> None:
    page = read(service, turned(angle), PAGES)
    width, height = upright["width"], upright["height"]
    assert (page["width"], page["height"]) == ((width, height) if angle % 180 == 0 else (height, width))
    x, y = (np.array([line["points"] for line in upright["lines"]])[..., axis] for axis in (0, 1))
    x, y = {0: (x, y), 90: (height - 1 - y, x), 180: (width - 1 - x, height - 1 - y), 270: (y, width - 1 - x)}[angle]
    assert np.abs(np.array([line["points"] for line in page["lines"]]) - np.stack((x, y), axis=2)).max() <= 0.11


@pytest.mark.parametrize("parameters", [(), (LINES,)])
def test_lines_that_stand_upside_down_are_read(
    service: Service, upright: dict[str, Any], parameters: tuple[str]
) -> None:
    page = read(service, turned(180), *parameters)
    common = set(texts(upright)) & set(texts(page))
    assert len(common) >= 0.85 * len(set(texts(upright)))
    if parameters:
        assert sum(line["angle"] == 180 for line in page["lines"]) >= 0.95 * len(page["lines"])


@pytest.mark.parametrize("angle", [90, 270])
def test_a_page_turned_by_a_quarter_is_read_without_a_parameter(
    service: Service, upright: dict[str, Any], angle: int
) -> None:
    page = read(service, turned(angle))
    common = set(texts(upright)) & set(texts(page))
    assert len(common) >= 0.8 * len(set(texts(upright)))


def test_upright_lines_stay_as_they_are(service: Service, upright: dict[str, Any]) -> None:
    page = read(service, turned(0), LINES, PAGES)
    assert page["angle"] == 0
    assert texts(page) == texts(upright)
    assert [line["points"] for line in page["lines"]] == [line["points"] for line in upright["lines"]]
    assert {line["angle"] for line in page["lines"]} == {0}


def test_words_of_a_turned_line_begin_where_its_text_does(service: Service) -> None:
    page = read(service, turned(180), LINES, "return_word_box")
    line = next(line for line in page["lines"] if line["text"] == "B & BEST RESTAURANT")
    starts = [word["points"][0][0] for word in line["words"]]
    assert starts == sorted(starts, reverse=True), "from the right to the left of the page"


def test_without_the_parameters_an_answer_has_no_angles(service: Service, upright: dict[str, Any]) -> None:
    assert "angle" not in upright
    assert all("angle" not in line for line in upright["lines"])


@pytest.mark.parametrize(("parameter", "task"), [(PAGES, "page_orientation"), (LINES, "line_orientation")])
def test_a_bundle_without_the_network_says_which_has_it(tmp_path: Path, parameter: str, task: str) -> None:
    with services.all_in_one(tmp_path / "log", "--model_dir", str(needs.v4_bundle())) as service:
        answer = httpx.post(
            service.url + URL,
            content=turned(0),
            params={parameter: "true"},
            timeout=60,
            headers={"content-type": "image/png"},
        )
    assert answer.status_code == 400
    assert all(word in answer.json()["error"] for word in (parameter, task, "ppocrv4-mobile", "ppocrv6-small"))
