"""V2: what is read of a request over each protocol, and what an answer holds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ppocr import oip
from ppocr.call import Call
from ppocr.serving import tensors
from ppocr.serving.tensors import TensorResponse
from ppocr.serving.v2_rest import LENGTH_HEADER
from ppocr.serving.wire import WireRequest
from ppocr_api.document import Page
from ppocr_api.errors import InvalidRequest
from tests.transformer.routes.exchanges import EMPTY, PLAIN, TURNED, WORDS, body_of, posted
from transformer.parameters import Parameters
from transformer.routes.v2 import OUTPUTS, V2


def rest(parameters: dict[str, Any] | None = None, **more: Any) -> WireRequest:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": ["YQ=="]}
    return posted({"inputs": [tensor], "parameters": parameters, **more})


def grpc(*files: bytes, version: str = "") -> WireRequest:
    message = tensors.request_to_grpc("ppocr", {"image": tensors.bytes_array(files)}, version)
    return WireRequest(Call(), message=message)


def outputs_of(request: WireRequest, pages: list[Page]) -> TensorResponse:
    """The answer over gRPC, which holds the tensors themselves."""
    answer = V2().render(request, V2().parse(request), pages)
    assert answer.error is None
    return tensors.response_from_grpc(answer.message)


def test_json_holds_base64_and_grpc_the_files_own_bytes() -> None:
    (file,) = V2().parse(rest()).files
    assert (file.data, file.base64) == (b"YQ==", True)
    (first, second) = V2().parse(grpc(b"a", b"b")).files
    assert (first.data, first.base64, second.where) == (b"a", False, "image 1")


def test_the_binary_extension_holds_the_files_own_bytes() -> None:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 5}}
    head = json.dumps({"inputs": [tensor]}).encode()
    request = posted(head + b"\x01\0\0\0a", "application/octet-stream")
    request.headers[LENGTH_HEADER] = str(len(head))  # type: ignore[index]
    (file,) = V2().parse(request).files
    assert (file.data, file.base64) == (b"a", False)


def test_mlservers_base64_codec() -> None:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1, 1], "data": ["YQ=="]}
    tensor["parameters"] = {"content_type": "base64"}
    request = posted({"inputs": [tensor], "parameters": {"content_type": "base64"}})
    (file,) = V2().parse(request).files
    assert (file.data, file.base64) == (b"YQ==", True)


def test_the_last_tensor_needs_no_size() -> None:
    """As OpenVINO Model Server's documentation has it."""
    head = json.dumps({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1]}]}).encode()
    request = posted(head + b"\x01\0\0\0a", "application/octet-stream")
    request.headers[LENGTH_HEADER] = str(len(head))  # type: ignore[index]
    (file,) = V2().parse(request).files
    assert (file.data, file.base64) == (b"a", False)


@pytest.mark.parametrize(("body", "length"), [(b"\xff\xd8\xff", None), (b"file", "0")])
def test_a_body_may_be_the_only_element(body: bytes, length: str | None) -> None:
    """As Triton has it with a header of no length."""
    request = posted(body, "application/octet-stream", model_version="3")
    if length is not None:
        request.headers[LENGTH_HEADER] = length  # type: ignore[index]
    (file,) = V2().parse(request).files
    assert (file.data, file.base64, request.call.version) == (body, False, "3")
    assert V2().render(request, V2().parse(request), [PLAIN]).status == 200


def test_a_form_is_told_where_to_go() -> None:
    with pytest.raises(InvalidRequest, match=r"curl -F file=@image.jpg http://HOST/v1/models/ppocr:predict"):
        V2().parse(posted(b"--x", "multipart/form-data; boundary=x"))


def test_the_call_knows_the_version_that_was_asked_for() -> None:
    for request, version in (
        (grpc(b"a", version="7"), "7"),
        (grpc(b"a"), None),
        (posted(json.loads(rest().body), model_version="3"), "3"),
    ):
        V2().parse(request)
        assert request.call.version == version


def test_parameters_of_the_protocol_are_not_those_of_the_reading() -> None:
    parameters = {"triton_x": 1, "priority": 2, "text_det_thresh": "0.25", "text_det_limit_type": "min"}
    assert V2().parse(rest(parameters)).parameters == Parameters(text_det_thresh=0.25, text_det_limit_type="min")
    with pytest.raises(InvalidRequest, match="nonsense"):
        V2().parse(rest({"nonsense": 1}))


def test_lines_of_all_images_stand_one_after_the_other() -> None:
    response = outputs_of(grpc(b"a", b"b"), [PLAIN, EMPTY])
    assert list(response.outputs) == [output["name"] for output in OUTPUTS]
    assert response.outputs["text"].tolist() == [b"good", b"day"]
    assert response.outputs["count"].tolist() == [2, 0]
    assert response.outputs["size"].tolist() == [[20, 10], [30, 40]]
    assert response.outputs["points"].shape == (2, 4, 2)
    assert (response.model_version, response.parameters) == ("1", {"model": "small/1"})


def test_no_line_at_all() -> None:
    response = outputs_of(grpc(b"a"), [EMPTY])
    assert response.outputs["points"].shape == (0, 4, 2)
    assert response.outputs["text"].shape == (0,)


@pytest.mark.parametrize("swapped_at", [0, 1, 2])
def test_a_swap_between_two_images_names_the_version_of_each(swapped_at: int) -> None:
    pages = [replace(PLAIN, model=f"small/{2 if index == swapped_at else 1}") for index in range(3)]
    response = outputs_of(grpc(b"a", b"b", b"c"), pages)
    assert response.model_version == ""
    assert response.parameters == {"models": ",".join(page.model for page in pages)}


def test_angles_are_outputs_where_they_were_asked_for() -> None:
    asked = {"use_doc_orientation_classify": True, "use_textline_orientation": True}
    request = rest(asked)
    answer = body_of(V2().render(request, V2().parse(request), [TURNED, EMPTY]))
    outputs = {output["name"]: output for output in answer["outputs"]}
    assert (outputs["angle"]["datatype"], outputs["angle"]["data"]) == ("INT32", [90, 0])
    assert (outputs["line_angle"]["datatype"], outputs["line_angle"]["data"]) == ("FP32", [180.0])
    plain = body_of(V2().render(rest(), V2().parse(rest()), [TURNED]))
    assert {output["name"] for output in plain["outputs"]} == {output["name"] for output in OUTPUTS}


def test_words_have_outputs_of_their_own() -> None:
    response = outputs_of(grpc(b"a"), [WORDS])
    assert response.outputs["word"].tolist() == [b"good", b"good"]
    assert response.outputs["word_count"].tolist() == [2]


def test_only_outputs_that_were_named_are_sent() -> None:
    request = rest(outputs=[{"name": "text"}])
    answer = body_of(V2().render(request, V2().parse(request), [PLAIN]))
    assert [output["name"] for output in answer["outputs"]] == ["text"]
    unknown = rest(outputs=[{"name": "texts"}])
    with pytest.raises(InvalidRequest, match="texts"):
        V2().render(unknown, V2().parse(unknown), [PLAIN])


def test_a_message_without_an_image() -> None:
    with pytest.raises(InvalidRequest, match="missing"):
        V2().parse(WireRequest(Call(), message=oip.ModelInferRequest(model_name="ppocr")))
