"""V2 tensors of pixels: what is read, refused and answered. tests/wire_formats/test_docling.py has docling's own client."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from ppocr import oip
from ppocr.call import Call
from ppocr.serving.tensors import request_to_grpc, response_from_grpc
from ppocr.serving.wire import WireRequest
from ppocr_api.errors import ImageTooLarge, InvalidRequest
from tests.transformer.routes.exchanges import EMPTY, PLAIN, posted
from transformer.images import ImageLimits
from transformer.routes.v2 import V2
from transformer.routes.v2_pixels import Language, is_asked

V = V2()
PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(1, 4, 5, 3)


def by_grpc(image: Any = PIXELS, lang: bytes | None = b"english", **more: Any) -> WireRequest:
    inputs = {"image": image, **more}
    if lang is not None:
        inputs["lang_type"] = np.array([[lang]], dtype=object)
    return WireRequest(Call(), message=request_to_grpc("ppocr", inputs))


def by_json(**tensors: Any) -> WireRequest:
    return posted({"inputs": [{"name": name, **tensor} for name, tensor in tensors.items()]})


def test_pixels_are_an_image_of_their_size() -> None:
    asked = V.parse(by_grpc())
    (file,) = asked.files
    source = file.inspect(ImageLimits())
    assert (source.width, source.height) == (5, 4)
    assert np.array_equal(file.decode(source), PIXELS[0])
    assert np.array_equal(V.parse(by_grpc(PIXELS[0])).files[0].decode(source), PIXELS[0])


def test_json_holds_them_too() -> None:
    image = {"datatype": "UINT8", "shape": [1, 4, 5, 3], "data": PIXELS.ravel().tolist()}
    asked = V.parse(by_json(image=image, lang_type={"datatype": "BYTES", "shape": [1, 1], "data": ["english"]}))
    (file,) = asked.files
    assert np.array_equal(file.decode(file.inspect(ImageLimits())), PIXELS[0])


def test_boxes_texts_and_scores_go_out() -> None:
    request = by_grpc()
    answer = response_from_grpc(V.render(request, V.parse(request), [PLAIN]).message)
    assert answer.outputs["boxes"].shape == (2, 4, 2)
    assert answer.outputs["txts"].tolist() == [b"good", b"day"]
    assert answer.outputs["scores"].tolist() == pytest.approx([0.9987, 0.5])
    assert (answer.parameters["model"], answer.model_version) == ("small/1", "1")


def test_a_page_without_text_has_no_boxes_of_four_corners() -> None:
    request = by_grpc(lang=None)
    answer = response_from_grpc(V.render(request, V.parse(request), [EMPTY]).message)
    assert answer.outputs["boxes"].shape == (0, 4, 2)
    assert answer.outputs["txts"].shape == answer.outputs["scores"].shape == (0,)


def test_json_answers_have_the_outputs_that_are_asked_for() -> None:
    image = {"name": "image", "datatype": "UINT8", "shape": [1, 4, 5, 3], "data": PIXELS.ravel().tolist()}
    request = posted({"inputs": [image], "outputs": [{"name": "txts"}]})
    (output,) = json.loads(V.render(request, V.parse(request), [PLAIN]).body)["outputs"]
    assert output["data"] == ["good", "day"]


@pytest.mark.parametrize(("read", "told"), [(True, "true"), (False, "false"), (None, None)])
def test_the_answer_says_whether_the_language_is_read(read: bool | None, told: str | None) -> None:
    request = by_grpc()
    asked = V.parse(request)
    tensors, language = asked.kept
    assert isinstance(language, Language) and language.name == "english"
    language.is_read = read
    answer = response_from_grpc(V.render(request, asked, [PLAIN]).message)
    assert answer.parameters.get("reads_lang_type") == told
    assert is_asked(tensors)


@pytest.mark.parametrize(
    "request_",
    [
        by_grpc(np.zeros((2, 4, 5, 3), np.uint8)),
        by_grpc(np.zeros((1, 4, 5, 4), np.uint8)),
        by_grpc(np.zeros((4, 5), np.uint8)),
        by_grpc(np.zeros((1, 1, 4, 5, 3), np.uint8)),
        by_grpc(np.zeros((1, 0, 5, 3), np.uint8)),
        by_grpc(np.zeros((1, 4, 5, 3), np.float32)),
        by_grpc(other=np.zeros(1, np.uint8)),
        by_grpc(lang=None, lang_type=np.zeros((1, 1), np.uint8)),
        by_grpc(lang=None, lang_type=np.array([b"a", b"b"], dtype=object)),
        WireRequest(Call(), message=oip.ModelInferRequest(model_name="ppocr")),
    ],
)
def test_what_does_not_fit_is_refused(request_: WireRequest) -> None:
    with pytest.raises(InvalidRequest):
        V.parse(request_)


def test_an_image_over_the_limits_is_refused_like_a_file() -> None:
    (file,) = V.parse(by_grpc(np.zeros((1, 100, 100, 3), np.uint8))).files
    with pytest.raises(ImageTooLarge):
        file.inspect(ImageLimits(max_pixels=9_999))
    with pytest.raises(ImageTooLarge):
        file.inspect(ImageLimits(max_memory=29_999))
