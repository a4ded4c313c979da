"""PaddleHub Serving's requests and envelopes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ppocr.serving.wire import WireAnswer
from ppocr_api.document import Line, Page
from ppocr_api.errors import ImageTooLarge, InvalidImage, InvalidRequest, Overloaded, PpocrError
from tests.transformer.routes.exchanges import EMPTY, PLAIN, SQUARE, posted
from transformer.routes.adapter import ReadRequest
from transformer.routes.hubserving import HubServing

HUB = HubServing()
IMAGES = {"images": ["YQ==", "YQ=="]}


def parsed(module: str, message: Any = IMAGES, content_type: str = "application/json") -> ReadRequest:
    return HUB.parse(posted(message, content_type, module=module))


def answered(module: str, *pages: Page | PpocrError) -> Any:
    answer = HUB.render(posted(IMAGES, module=module), parsed(module), pages)
    assert answer.body.endswith(b"\n")
    envelope = json.loads(answer.body)
    assert list(envelope) == ["msg", "results", "status"]
    assert (answer.status, envelope["msg"], envelope["status"]) == (200, "", "000")
    return envelope["results"]


def refused(error: PpocrError) -> tuple[int, str, WireAnswer]:
    answer = HUB.render_error(posted({}, module="ocr_system"), error)
    return answer.status, json.loads(answer.body)["status"], answer


@pytest.mark.parametrize(
    ("module", "reads"),
    [("ocr_system", "page"), ("ocr_det", "boxes"), ("ocr_rec", "line"), ("ocr_cls", "line_angle")],
)
def test_each_module_asks_for_its_part_of_the_work(module: str, reads: str) -> None:
    asked = parsed(module)
    assert (asked.reads, asked.partial, len(asked.files)) == (reads, True, 2)
    assert asked.parameters.use_textline_orientation == (module == "ocr_cls")
    assert asked.parameters.text_rec_score_thresh == (0.5 if module == "ocr_system" else None)


def test_results_of_pages_are_a_list_for_each_image() -> None:
    corners = [[0, 0], [10, 0], [10, 4], [0, 4]]
    lines = [
        {"confidence": 0.9987, "text": "good", "text_region": corners},
        {"confidence": 0.5, "text": "day", "text_region": corners},
    ]
    assert answered("ocr_system", PLAIN, InvalidImage("no image")) == [lines, []]
    assert answered("ocr_det", InvalidImage("no image"), PLAIN) == [[], [{"text_region": corners}] * 2]


def test_results_of_lines_are_one_list_in_which_what_is_no_image_has_no_place() -> None:
    read = Page((Line("good", 0.9, SQUARE),), 20, 10, "small/1")
    assert answered("ocr_rec", InvalidImage("no image"), read, EMPTY) == [
        [{"confidence": 0.9, "text": "good"}, {"confidence": 0.0, "text": ""}]
    ]
    turned = Page((Line("", 0.97, SQUARE, angle=180),), 20, 10, "small/1")
    assert answered("ocr_cls", turned) == [[{"angle": "180", "confidence": 0.97}]]
    assert answered("ocr_cls", InvalidImage("no image")) == [[]]


@pytest.mark.parametrize("error", [InvalidRequest("no base64"), ImageTooLarge("too large"), Overloaded("full")])
def test_an_image_that_was_not_tried_is_no_empty_list(error: PpocrError) -> None:
    """An empty list says that there is no text, and a client would believe it."""
    with pytest.raises(type(error)):
        HUB.render(posted(IMAGES, module="ocr_system"), parsed("ocr_system"), [PLAIN, error])


@pytest.mark.parametrize(
    ("module", "message", "content_type", "status"),
    [
        ("nothing", b"x", "", "111"),
        ("ocr_system", IMAGES, "", "112"),
        ("ocr_system", IMAGES, "text/plain", "112"),
        ("ocr_system", None, "application/json", "112"),
        ("ocr_system", [], "application/json", "101"),
        ("ocr_system", {}, "application/json", "101"),
        ("ocr_system", {"images": None}, "application/json", "101"),
        ("ocr_system", {"images": "YQ=="}, "application/json", "101"),
        ("ocr_system", {"images": [""]}, "application/json", "101"),
        ("ocr_system", {"images": [5]}, "application/json", "101"),
        ("ocr_system", {"images": ["你好"]}, "application/json", "101"),
        ("ocr_system", {**IMAGES, "paths": ["/etc/passwd"]}, "application/json", "101"),
        ("ocr_system", {**IMAGES, "use_gpu": True}, "application/json", "101"),
    ],
)
def test_the_callers_faults_are_a_status_in_a_200(module: str, message: Any, content_type: str, status: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parsed(module, message, content_type)
    http, code, _ = refused(caught.value)
    assert (http, code) == (200, status)


@pytest.mark.parametrize("body", [b"", b"{", b'{"images": []} x', b'"x"', b"5"])
def test_what_is_no_json_is_a_400(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parsed("ocr_system", body)
    answer = HUB.render_error(posted(body, module="ocr_system"), caught.value)
    assert (answer.status, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")


def test_json_under_another_name_is_json() -> None:
    assert len(parsed("ocr_system", IMAGES, "application/vnd.api+json").files) == 2


def test_a_full_service_says_so_in_its_status_too() -> None:
    http, code, answer = refused(Overloaded("full", retry_after=3))
    assert (http, code, answer.headers["retry-after"]) == (429, "101", "3")


def test_other_methods_are_answered_with_a_page() -> None:
    answer = HUB.render_unrouted(InvalidRequest("<b>"), 405)
    assert answer.status == 405
    assert b"<h1>Method Not Allowed</h1>" in answer.body and b"<b>" not in answer.body
