"""V1 and the raw body: what is read of a request, and what an answer looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ppocr_api.errors import InvalidImage, InvalidRequest, PpocrError, Unavailable
from tests.transformer.routes.exchanges import EMPTY, PLAIN, TURNED, WORDS, body_of, posted
from transformer.parameters import Parameters
from transformer.routes import FORMATS
from transformer.routes.raw import Raw
from transformer.routes.v1 import PATH, V1

JSON, JPEG = b'{"instances": []}', b"\xff\xd8\xff\xe0"


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
    ("content_type", "body", "reads"),
    [
        ("application/json; charset=utf-8", JSON, V1),
        ("application/json", b"x", V1),
        ("application/json", JPEG, Raw),
        ("application/vnd.api+json", JSON, V1),
        ("", JSON, V1),
        ("", b" \r\n" + JSON, V1),
        ("", b"\xef\xbb\xbf" + JSON, V1),
        ("", JPEG, Raw),
        ("", b"", Raw),
        ("text/plain", JSON, V1),
        ("text/plain", b"data:image/png;base64,YQ==", Raw),
        ("application/x-www-form-urlencoded", JSON, V1),
        ("application/x-www-form-urlencoded", JPEG, Raw),
        ("application/octet-stream", JSON, V1),
        ("application/octet-stream", JPEG, Raw),
        ("application/octet-stream", b"x", Raw),
        ("Image/JPEG", JPEG, Raw),
        ("image/jpeg", b"x", Raw),
        ("image/jpeg", JSON, V1),
        ("text/html", JPEG, Raw),
        ("text/html", b"x", None),
        ("text/html", JSON, None),
        ("imagery/x", b"x", None),
    ],
)
def test_the_first_bytes_tell_them_apart(content_type: str, body: bytes, reads: type | None) -> None:
    request = posted(body, content_type)
    assert next((type(each) for each in FORMATS[:3] if each.takes(request)), None) is reads


@pytest.mark.parametrize(
    "instance",
    [
        "YQ==",
        {"image": "YQ=="},
        {"b64": "YQ=="},
        {"image_bytes": {"b64": "YQ=="}},
        {"content": "YQ=="},
        {"data": "YQ==", "mimeType": "image/png", "fileName": "a.png"},
        {"image": {"$content-type": "image/png", "$content": "YQ=="}},
    ],
    ids=str,
)
def test_instances_of_other_programs(instance: Any) -> None:
    (file,) = V1().parse(posted({"instances": [instance]})).files
    assert (file.data, file.base64) == ("YQ==", True)


def test_a_file_of_power_automate_as_the_whole_body() -> None:
    (file,) = V1().parse(posted({"$content-type": "image/png", "$content": "YQ=="})).files
    assert (file.data, file.base64) == ("YQ==", True)


@pytest.mark.parametrize("instance", [1, None, [], {}, {"image": 7}, {"image": {"image": {"b64": "YQ=="}}}], ids=str)
def test_instances_that_hold_no_image(instance: Any) -> None:
    with pytest.raises(InvalidRequest, match="instance 0 must be of the form"):
        V1().parse(posted({"instances": [instance]}))


def test_a_refusal_shows_a_line_that_works() -> None:
    request = posted({"images": []})
    request.call.route = PATH
    request.headers.update({"host": "[::1]:9000", "x-forwarded-proto": "https", "x-forwarded-prefix": "/ocr"})  # type: ignore[attr-defined]
    with pytest.raises(InvalidRequest, match="an object with 'images', has no list 'instances'") as refused:
        V1().parse(request)
    line = "curl --data-binary @image.jpg https://[::1]:9000/ocr/v1/models/ppocr:predict"
    assert json.loads(V1().render_error(request, refused.value).body)["error"] == f"{refused.value}; this works: {line}"
    damaged = json.loads(V1().render_error(request, InvalidImage("the JPEG file is truncated")).body)["error"]
    assert damaged == "the JPEG file is truncated"


@pytest.mark.parametrize(
    "message",
    [
        {"instances": ["YQ=="], "return_word_box": True},
        {"instances": [{"image": {"b64": "YQ=="}, "return_word_box": True}]},
    ],
    ids=["beside the instances", "in an instance"],
)
def test_a_parameter_in_the_wrong_place_is_not_overlooked(message: Any) -> None:
    with pytest.raises(InvalidRequest, match="has 'return_word_box' as a member, which belongs in 'parameters'"):
        V1().parse(posted(message))


@pytest.mark.parametrize("host", ["", "a b", "$(reboot)", "a;b", "x" * 300])
def test_a_line_holds_nothing_that_a_shell_would_run(host: str) -> None:
    request = posted({})
    request.headers["host"] = host  # type: ignore[index]
    assert request.line("curl {url}/x") == "curl http://HOST/x"
