"""PaddleX' requests, results and errors. tests/wire_formats compares them with recorded ones."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from ppocr.call import Call
from ppocr.serving.wire import WireRequest
from ppocr_api.document import Line, Page
from ppocr_api.errors import InvalidRequest, Overloaded, Unavailable
from tests.transformer.routes.exchanges import PLAIN, SQUARE, WORDS, body_of, posted
from transformer.outputs.paddlex import upright
from transformer.parameters import Parameters
from transformer.routes.paddlex import PaddleX

X = PaddleX()
RIGHT = {"file": "YQ==", "fileType": 1, "visualize": False}


def message_of(body: Any, content_type: str = "application/json") -> Any:
    with pytest.raises(InvalidRequest) as caught:
        X.parse(posted(body, content_type))
    answer = X.render_error(posted(body, content_type), caught.value)
    told = json.loads(answer.body)
    assert list(told) == ["logId", "errorCode", "errorMsg"]
    assert (answer.status, told["errorCode"]) == (422, 422)
    return told["errorMsg"]


def test_options_are_the_parameters_of_the_same_names() -> None:
    options = {
        "useDocOrientationClassify": True,
        "useTextlineOrientation": True,
        "textDetLimitSideLen": "640",
        "textDetLimitType": "min",
        "textDetThresh": 0.2,
        "textDetBoxThresh": 0.4,
        "textDetUnclipRatio": 2,
        "textRecScoreThresh": 0.3,
        "returnWordBox": "true",
    }
    asked = X.parse(posted({**RIGHT, **options, "unknown": 1}))
    assert asked.parameters == Parameters(640, "min", 0.2, 0.4, 2.0, 0.3, True, True, True)
    assert X.parse(posted({**RIGHT, **dict.fromkeys(options)})).parameters == Parameters()


def test_a_negative_side_asks_for_the_image_in_its_own_size() -> None:
    for kind in (None, "min", "max"):
        asked = X.parse(posted({**RIGHT, "textDetLimitSideLen": -5, "textDetLimitType": kind}))
        assert asked.parameters == Parameters(4000, "max")


@pytest.mark.parametrize(("visualize", "pixels"), [(None, True), (True, True), (False, False)])
def test_pictures_are_made_unless_they_are_declined(visualize: bool | None, pixels: bool) -> None:
    asked = X.parse(posted({**RIGHT, "visualize": visualize}))
    assert asked.view is not None and asked.view.pixels == pixels


def test_a_log_id_comes_back_and_without_one_there_is_a_new_one() -> None:
    for given in ("my-id", "", None):
        request = posted({**RIGHT, "logId": given})
        told = body_of(X.render(request, X.parse(request), [PLAIN]))["logId"]
        assert told == given if given else uuid.UUID(told)
    request = posted({"logId": "my-id"})
    assert json.loads(X.render_error(request, Overloaded("full")).body)["logId"] == "my-id"


def test_lines_and_words_have_paddleocrs_names() -> None:
    request = posted({**RIGHT, "returnWordBox": True})
    result = body_of(X.render(request, X.parse(request), [WORDS]))["result"]
    assert result["dataInfo"] == {"width": 20, "height": 10, "type": "image"}
    (read,) = result["ocrResults"]
    assert list(read) == ["prunedResult"]
    pruned = read["prunedResult"]
    assert pruned["rec_texts"] == ["good"]
    assert pruned["rec_scores"] == [0.9987]
    assert pruned["rec_polys"] == [[[0, 0], [10, 0], [10, 4], [0, 4]]]
    assert pruned["rec_boxes"] == [[0, 0, 10, 4]]


@pytest.mark.parametrize(
    ("body", "kind", "place"),
    [
        ({"fileType": 1}, "missing", "body.file"),
        ({"file": 5, "fileType": 1}, "string_type", "body.file"),
        ({"file": "YQ==", "fileType": "1"}, "literal_error", "body.fileType"),
        ({**RIGHT, "textDetLimitSideLen": "abc"}, "int_parsing", "body.textDetLimitSideLen"),
        ([], "model_attributes_type", "body"),
        (None, "model_attributes_type", "body"),
        (b'{"file":"x"} y', "json_invalid", "body[13]"),
    ],
)
def test_what_does_not_fit_is_named_as_paddlex_names_it(body: Any, kind: str, place: str) -> None:
    (error,) = json.loads(message_of(body))
    assert (error["type"], error["loc"]) == (kind, place)


def test_json_must_be_called_json() -> None:
    for content_type in ("", "text/plain"):
        (error,) = json.loads(message_of(RIGHT, content_type))
        assert error["type"] == "model_attributes_type"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"fileType": None}, "File type cannot be determined"),
        ({"fileType": 0}, "PDF"),
        ({"useDocUnwarping": True}, "unwarp"),
        ({"textDetLimitType": "bad"}, "text_det_limit_type"),
        ({"textDetLimitSideLen": 5}, "text_det_limit_side_len"),
    ],
)
def test_what_is_not_read_is_said(more: dict[str, Any], says: str) -> None:
    assert says in message_of({**RIGHT, **more})


def test_other_errors_keep_their_status_and_when_to_come_back() -> None:
    answer = X.render_error(posted(RIGHT), Unavailable("draining", retry_after=2))
    assert (answer.status, json.loads(answer.body)["errorCode"], answer.headers["retry-after"]) == (503, 503, "2")
    unrouted = X.render_unrouted(InvalidRequest("x"), 405)
    assert (unrouted.status, json.loads(unrouted.body)["errorMsg"]) == (405, "Method Not Allowed")


async def test_health_is_answered_without_a_model() -> None:
    async def infer(_: Any) -> Any:
        raise AssertionError("no model is needed")

    answer = await X.answer(WireRequest(Call("/health")), infer)
    assert body_of(answer)["errorMsg"] == "Healthy"


@pytest.mark.parametrize(
    ("angle", "point"), [(0, (3.0, 1.0)), (90, (1.0, 16.0)), (180, (16.0, 8.0)), (270, (8.0, 3.0))]
)
def test_points_are_those_of_the_upright_page(angle: int, point: tuple[float, float]) -> None:
    page = Page((Line("a", 1.0, SQUARE),), 20, 10, "small/1", angle=angle)
    assert upright(((3.0, 1.0),), page) == [point]
