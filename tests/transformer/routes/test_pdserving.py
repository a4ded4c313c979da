"""The pipeline: what is read of a request over either protocol, what an answer and an error look like."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from ppocr.call import Call
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Line, Page
from ppocr_api.errors import DeadlineExceeded, InvalidImage, Overloaded, PpocrError, RequestError
from tests.transformer.routes.exchanges import EMPTY, PLAIN, SQUARE, posted
from transformer.routes import pdserving_messages_pb2 as messages
from transformer.routes.pdserving import Pipeline
from transformer.routes.pdserving_request import JsonMismatch, Refused

GOOD = {"key": ["image"], "value": ["YQ=="]}


def asked(message: Any, **path: str) -> WireRequest:
    """A POST as its clients send it: without a content type."""
    request = posted(message, "")
    return WireRequest(request.call, request.body, {}, {}, path)


def called(**members: Any) -> WireRequest:
    return WireRequest(Call(), message=messages.Request(**members))


def answer_of(request: WireRequest, page: Page, answers: str = "result") -> Any:
    pipeline = Pipeline(answers=answers)
    answer = pipeline.render(request, pipeline.parse(request), [page])
    assert answer.status == 200
    return json.loads(answer.body) if answer.message is None else answer.message


def refusal(request: WireRequest) -> tuple[int, Any]:
    """The status and JSON of a request that can't be parsed."""
    pipeline = Pipeline()
    with pytest.raises(RequestError) as caught:
        pipeline.parse(request)
    answer = pipeline.render_error(request, caught.value)
    return answer.status, json.loads(answer.body)


def test_the_image_is_a_value_and_its_base64_is_read_as_python_does() -> None:
    for request in (asked(GOOD), called(key=["image"], value=["YQ=="])):
        (file,) = Pipeline().parse(request).files
        assert (file.data, file.base64, file.lenient) == ("YQ==", True, True)


@pytest.mark.parametrize(
    "message",
    [
        {**GOOD, "logid": "7", "clientip": None, "unknown": [1]},
        {"tensors": [{"name": "image", "elem_type": 12, "str_data": ["YQ", "=="]}]},
        {"tensors": [{"name": "image", "elemType": 12, "strData": ["YQ=="]}], **GOOD},
        b'{"key": ["x"], "key": ["image"], "value": ["YQ=="]} and what follows',
        {"key": ["image"], "value": ["YQ==", "more"]},
        {**GOOD, "logid": 2**63 - 1},
        {**GOOD, "logid": None, "name": "another, which the path beats"},
    ],
)
def test_what_is_read(message: Any) -> None:
    (file,) = Pipeline().parse(asked(message, name="ocr")).files
    assert file.data == "YQ=="


@pytest.mark.parametrize(
    ("message", "err_no"),
    [
        ({}, 10000),
        (b"", 10000),
        (None, 10000),
        ({"key": ["image"]}, 8000),
        ({"tensors": [{"name": "image", "elem_type": 7, "uint32_data": [1, 2], "shape": [2]}]}, 10000),
        ({"tensors": [{"name": "image", "elem_type": 0, "int64_data": ["1", 2], "shape": [3]}]}, 8000),
        ({"tensors": [{"name": "image", "str_data": ["YQ=="]}]}, 8000),
        ({"tensors": [{"name": "image", "elem_type": 13, "byte_data": "AAAA"}]}, 8000),
        ({"tensors": [{"name": "image", "elem_type": 11}]}, 8000),
        ({"tensors": [{"name": "image", "elem_type": 99}]}, 8000),
    ],
)
def test_what_is_an_err_no(message: Any, err_no: int) -> None:
    status, answer = refusal(asked(message))
    assert (status, list(answer), answer["err_no"]) == (
        200,
        ["err_no", "err_msg", "key", "value", "tensors"],
        err_no,
    )


def test_another_services_name_is_one_too() -> None:
    assert refusal(asked(GOOD, name="OCR"))[1]["err_no"] == 3002
    with pytest.raises(Refused, match="Service name error"):
        Pipeline().parse(called(key=["image"], value=["YQ=="], name="other"))


@pytest.mark.parametrize(
    "message",
    [
        [],
        b"{",
        b'\xef\xbb\xbf{"key": []}',
        b"[" * 100_000,
        {"key": "image"},
        {"value": [5]},
        {"tensors": {}},
        {"logid": 1.5},
        {"logid": 2**63},
        {"logid": True},
        {"logid": "9" * 5000},
        b'{"logid": NaN}',
        {"tensors": [{"elem_type": 2**31}]},
        {"tensors": [{"float_data": ["x"]}]},
        {"tensors": [{"bool_data": [1]}]},
    ],
)
def test_what_does_not_fit_the_message_is_a_400(message: Any) -> None:
    status, answer = refusal(asked(message))
    assert (status, list(answer), answer["code"]) == (400, ["error", "code", "message", "details"], 3)


def test_the_value_is_python() -> None:
    answer = answer_of(asked(GOOD), PLAIN)
    assert list(answer) == ["err_no", "err_msg", "key", "value", "tensors"]
    assert answer["key"] == ["result"]
    points = [[0.0, 0.0], [10.0, 0.0], [10.0, 4.0], [0.0, 4.0]]
    assert ast.literal_eval(answer["value"][0]) == [[("good", 0.9987), points], [("day", 0.5), points]]
    assert answer_of(asked(GOOD), EMPTY)["value"] == ["[]"]


@pytest.mark.parametrize(
    ("answers", "reads", "key", "value"),
    [
        ("res", "page", "res", "['good', 'day']"),
        ("rec", "line", "res", "['goodday']"),
        ("det", "boxes", "dt_boxes", None),
    ],
)
def test_other_services(answers: str, reads: str, key: str, value: str | None) -> None:
    assert Pipeline(answers=answers).parse(asked(GOOD)).reads == reads
    answer = answer_of(asked(GOOD), PLAIN, answers)
    assert answer["key"] == [key]
    if value:
        assert answer["value"] == [value]
    else:
        assert answer["value"][0].startswith("[[[ 0.  0.]\n  [10.  0.]\n  [10.  4.]\n  [ 0.  4.]]\n\n [[ 0.")
        assert answer_of(asked(GOOD), EMPTY, answers)["value"] == ["[]"]


def test_json_may_stand_in_html_as_go_writes_it() -> None:
    page = Page((Line("<b>&\u2028'\"中", 0.5, SQUARE),), 20, 10, "small/1")
    pipeline = Pipeline()
    body = pipeline.render(asked(GOOD), pipeline.parse(asked(GOOD)), [page]).body
    assert not set(b"<>&") & set(body)
    assert rb"\u2028" in body and "中".encode() in body
    assert ast.literal_eval(json.loads(body)["value"][0])[0][0][0] == page.lines[0].text


def test_the_profile_has_the_times_of_the_stages() -> None:
    request = asked({"key": ["image", "pipeline.profile"], "value": ["YQ==", "1"]})
    request.call.times.append(("detect", 1.0, 2.0))
    answer = answer_of(request, PLAIN)
    assert answer["key"] == ["result", "pipeline.profile"]
    begin, end = (part.split(":")[1] for part in answer["value"][1].split("\t")[2].split()[:2])
    assert int(end) - int(begin) == 1_000_000
    assert answer_of(asked({**GOOD, "key": ["image"]}), PLAIN)["key"] == ["result"]


@pytest.mark.parametrize(
    ("error", "headers", "status", "code"),
    [
        (InvalidImage("no"), {}, 200, 10000),
        (DeadlineExceeded("late"), {}, 200, 6000),
        (DeadlineExceeded("late"), {"grpc-timeout": "1m"}, 504, 4),
        (Overloaded("full", 3), {}, 429, 8),
        (PpocrError("internal error"), {}, 500, 13),
    ],
)
def test_errors(error: PpocrError, headers: dict[str, str], status: int, code: int) -> None:
    request = WireRequest(Call(), json.dumps({**GOOD, "logid": 7}).encode(), headers)
    answer = Pipeline().render_error(request, error)
    content = json.loads(answer.body)
    assert (answer.status, content.get("err_no", content.get("code"))) == (status, code)
    assert answer.error is error
    if "err_no" in content:
        assert content["err_msg"] == f"Log_id: 7  Raise_msg: {error.message}"


def test_over_grpc_an_err_no_is_a_message_and_the_rest_a_status() -> None:
    request = called(key=["image"], value=["YQ=="], logid=9)
    answer: WireAnswer = Pipeline().render_error(request, InvalidImage("no"))
    assert (answer.message.err_no, answer.message.err_msg) == (10000, "Log_id: 9  Raise_msg: no")
    assert Pipeline().render_error(request, Overloaded("full")).message is None


def test_a_timeout_of_the_gateways_shortens_the_calls_deadline() -> None:
    request = asked(GOOD)
    request.headers["grpc-timeout"] = "1m"  # type: ignore[index]
    Pipeline().parse(request)
    assert (request.call.remaining() or 1) < 0.01
    request.headers["grpc-timeout"] = "zzz"  # type: ignore[index]
    with pytest.raises(JsonMismatch, match="invalid grpc-timeout"):
        Pipeline().parse(request)


def test_a_body_with_feed_is_the_web_services() -> None:
    pipeline = Pipeline()
    assert pipeline.takes(asked(GOOD))
    assert pipeline.takes(posted(GOOD))
    assert not pipeline.takes(asked({"feed": [{"image": "YQ=="}], "fetch": []}))
    assert not pipeline.takes(posted({"fetch": []}))
    assert pipeline.takes(asked({"fetch": []}))
    assert Pipeline(alone=True).takes(posted({"feed": []}))
