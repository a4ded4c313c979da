"""The web service: the first image of `feed`, its texts, and errors as pages of HTML."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ppocr_api.errors import InvalidImage, InvalidRequest, Overloaded, PpocrError
from tests.transformer.routes.exchanges import EMPTY, PLAIN, posted
from transformer.routes.web_service import WebService

GOOD = {"feed": [{"image": "YQ=="}, {"image": "Yg=="}], "fetch": ["save_infer_model/scale_0.tmp_1"]}


def test_the_first_image_is_read() -> None:
    for content_type in ("application/json", "application/vnd.api+json", "Application/JSON; charset=utf-8"):
        (file,) = WebService().parse(posted(GOOD, content_type)).files
        assert (file.data, file.base64, file.lenient) == ("YQ==", True, True)


@pytest.mark.parametrize(("page", "texts"), [(PLAIN, ["good", "day"]), (EMPTY, [])])
def test_an_answer(page: Any, texts: list[str]) -> None:
    request = posted(GOOD)
    answer = WebService().render(request, WebService().parse(request), [page])
    assert json.loads(answer.body) == {"result": {"res": texts}}
    assert answer.body.endswith(b"}\n")


@pytest.mark.parametrize(
    "message",
    [
        b"{",
        b"",
        [],
        ["fetch"],
        None,
        {"feed": GOOD["feed"]},
        {"fetch": []},
        {**GOOD, "feed": []},
        {**GOOD, "feed": "x"},
        {**GOOD, "feed": [{"image": None}]},
    ],
)
def test_what_lacks_its_form_is_a_page_of_400(message: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        WebService().parse(posted(message))
    answer = WebService().render_error(posted(message), caught.value)
    assert (answer.status, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert b"<h1>Bad Request</h1>" in answer.body


@pytest.mark.parametrize("content_type", ["", "text/plain"])
def test_json_has_to_be_named(content_type: str) -> None:
    with pytest.raises(InvalidRequest, match="content type"):
        WebService().parse(posted(GOOD, content_type))


def test_base64_that_is_none_is_the_result() -> None:
    answer = WebService().render_error(posted(GOOD), InvalidRequest("the image is not base64"))
    assert (answer.status, answer.body) == (200, b'{"result":"the image is not base64"}\n')


@pytest.mark.parametrize(
    ("error", "status"), [(InvalidImage("<no>"), 400), (Overloaded("full", 3), 429), (PpocrError("x"), 500)]
)
def test_other_errors_are_pages(error: PpocrError, status: int) -> None:
    answer = WebService().render_error(posted(GOOD), error)
    assert answer.status == status
    assert b"<no>" not in answer.body
    assert answer.headers.get("retry-after") == ("3" if status == 429 else None)
