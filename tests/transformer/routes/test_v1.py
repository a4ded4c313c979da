"""V1 and the raw body: what is read of a request, and what an answer looks like."""

from __future__ import annotations

from typing import Any

import pytest

from ppocr_api.errors import InvalidRequest, PpocrError, Unavailable
from tests.transformer.routes.exchanges import EMPTY, PLAIN, TURNED, WORDS, body_of, posted
from transformer.parameters import Parameters
from transformer.routes.raw import Raw
from transformer.routes.v1 import V1


def test_each_instance_is_an_image_file() -> None:
    asked = V1().parse(posted({"instances": [{"image": {"b64": "YQ=="}}, {"b64": "Yg=="}]}))
    assert [(file.data, file.base64, file.where) for file in asked.files] == [
        ("YQ==", True, "instance 0"),
        ("Yg==", True, "instance 1"),
    ]
    assert asked.parameters == Parameters()
    assert not asked.partial


def test_parameters_and_a_null_in_their_place() -> None:
    message = {"instances": [], "parameters": {"text_det_thresh": 0.2}}
    assert V1().parse(posted(message)).parameters == Parameters(text_det_thresh=0.2)
    assert V1().parse(posted({**message, "parameters": None})).parameters == Parameters()


def test_an_answer_has_a_prediction_for_each_page() -> None:
    request = posted({"instances": []})
    answer = body_of(V1().render(request, V1().parse(request), [PLAIN, EMPTY]))
    points = [[0.0, 0.0], [10.5, 0.0], [10.5, 4.0], [0.0, 4.0]]
    assert answer == {
        "predictions": [
            {
                "lines": [
                    {"text": "good", "confidence": 0.9987, "points": points},
                    {"text": "day", "confidence": 0.5, "points": points},
                ],
                "width": 20,
                "height": 10,
                "model": "small/1",
            },
            {"lines": [], "width": 30, "height": 40, "model": "small/1"},
        ]
    }
    assert list(answer["predictions"][0]) == ["lines", "width", "height", "model"]


@pytest.mark.parametrize(
    ("parameters", "page_keys", "line_keys"),
    [
        ({}, set(), set()),
        ({"use_doc_orientation_classify": True}, {"angle"}, set()),
        ({"use_textline_orientation": True}, set(), {"angle"}),
    ],
)
def test_angles_stand_where_they_were_asked_for(
    parameters: dict[str, Any], page_keys: set[str], line_keys: set[str]
) -> None:
    request = posted({"instances": [], "parameters": parameters})
    (page,) = body_of(V1().render(request, V1().parse(request), [TURNED]))["predictions"]
    assert set(page) - {"lines", "width", "height", "model"} == page_keys
    assert set(page["lines"][0]) - {"text", "confidence", "points"} == line_keys
    assert page.get("angle", 90) == 90
    assert page["lines"][0].get("angle", 180) == 180


def test_words_stand_in_their_line() -> None:
    request = posted({"instances": []})
    (page,) = body_of(V1().render(request, V1().parse(request), [WORDS]))["predictions"]
    assert [word["text"] for word in page["lines"][0]["words"]] == ["good", "good"]


def test_an_error_is_a_sentence_with_its_status() -> None:
    answer = V1().render_error(posted({}), Unavailable("loading", retry_after=1.2))
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert answer.body == b'{"error":"loading"}'
    assert V1().render_error(posted({}), PpocrError("internal error")).status == 500


def test_a_raw_body_is_the_file_and_the_query_has_the_parameters() -> None:
    request = posted(b"file", "image/png")
    request.query["return_word_box"] = "true"  # type: ignore[index]
    asked = Raw().parse(request)
    assert [file.data for file in asked.files] == [b"file"]
    assert not asked.files[0].base64
    assert asked.parameters == Parameters(return_word_box=True)
    assert body_of(Raw().render(request, asked, [PLAIN])) == body_of(V1().render(request, asked, [PLAIN]))


def test_an_empty_raw_body_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        Raw().parse(posted(b"", "image/png"))


@pytest.mark.parametrize(
    ("content_type", "v1", "raw"),
    [
        ("application/json; charset=utf-8", True, False),
        ("", True, False),
        ("Image/JPEG", False, True),
        ("application/octet-stream", False, True),
        ("text/html", False, False),
        ("imagery/x", False, False),
    ],
)
def test_the_content_type_tells_them_apart(content_type: str, v1: bool, raw: bool) -> None:
    request = posted(b"x", content_type)
    assert (V1().takes(request), Raw().takes(request)) == (v1, raw)
