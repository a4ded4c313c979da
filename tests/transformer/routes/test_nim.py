"""NVIDIA's OCR NIM: data URLs in, merge levels, points as parts of the image."""

from __future__ import annotations

from typing import Any

import pytest

from ppocr_api.document import Line, Page, Points
from ppocr_api.errors import InvalidRequest
from tests.transformer.routes.exchanges import EMPTY, WORDS, body_of, posted
from transformer.routes.nim import Nim

NIM = Nim()
IMAGE = {"type": "image_url", "url": "data:image/png;base64,YQ=="}


def at(left: float, top: float, right: float, bottom: float) -> Points:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


PAGE = Page(
    (Line("one", 0.8, at(0, 0, 10, 4)), Line("two", 0.6, at(0, 5, 8, 9)), Line("far", 1.0, at(0, 50, 9, 54))),
    20,
    100,
    "small/1",
)


def detections(level: Any, page: Page) -> list[Any]:
    request = posted({"input": [IMAGE]} | ({} if level is None else {"merge_levels": [level]}))
    answer = body_of(NIM.render(request, NIM.parse(request), [page]))
    assert answer["usage"]["images_size_mb"] > 0
    (image,) = answer["data"]
    assert image["index"] == 0
    found: list[Any] = image["text_detections"]
    assert all(each["bounding_box"]["type"] == "quadrilateral" for each in found)
    return found


def texts(level: Any, page: Page) -> list[str]:
    return [each["text_prediction"]["text"] for each in detections(level, page)]


def test_sentences_are_lines_and_paragraphs_are_lines_close_to_each_other() -> None:
    assert texts("sentence", PAGE) == ["one", "two", "far"]
    assert texts("paragraph", PAGE) == texts(None, PAGE) == ["one\ntwo", "far"]
    assert texts("paragraph", EMPTY) == []


def test_words_are_asked_for_where_some_image_wants_them() -> None:
    assert texts("word", WORDS) == ["good", "good"]
    for levels, words in ((["word"], True), (["sentence"], False), (["sentence", "word"], True)):
        asked = NIM.parse(posted({"input": [IMAGE, IMAGE], "merge_levels": levels}))
        assert asked.parameters.return_word_box == words


def test_points_are_parts_of_the_image_and_stay_in_it() -> None:
    first = detections("paragraph", PAGE)[0]
    assert first["bounding_box"]["points"] == [
        {"x": 0.0, "y": 0.0},
        {"x": 0.5, "y": 0.0},
        {"x": 0.5, "y": 0.09},
        {"x": 0.0, "y": 0.09},
    ]
    assert first["text_prediction"]["confidence"] == 0.7
    outside = Page((Line("a", 1.0, at(-3, -1, 25, 101)),), 20, 100, "small/1")
    corners = detections("sentence", outside)[0]["bounding_box"]["points"]
    assert {(each["x"], each["y"]) for each in corners} == {(0, 0), (1, 0), (1, 1), (0, 1)}


@pytest.mark.parametrize(
    "message",
    [
        {},
        [],
        {"input": {}},
        {"input": ["data:image/png;base64,YQ=="]},
        {"input": [{**IMAGE, "type": "text"}]},
        {"input": [{**IMAGE, "url": "file:///etc/passwd"}]},
        {"input": [{**IMAGE, "url": "data:image/png,YQ=="}]},
        {"input": [{**IMAGE, "url": "data:image/png;base64"}]},
        {"input": [IMAGE], "merge_levels": "word"},
        {"input": [IMAGE], "merge_levels": ["page"]},
        {"input": [IMAGE], "merge_levels": []},
        {"input": [IMAGE, IMAGE, IMAGE], "merge_levels": ["word", "word"]},
    ],
)
def test_what_does_not_fit_is_refused(message: Any) -> None:
    with pytest.raises(InvalidRequest):
        NIM.parse(posted(message))
