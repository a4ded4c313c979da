"""KServe V2 (REST, its binary extension, gRPC): BYTES tensor `image` in; text, confidence, points and count out.

Pixels instead of files are v2_pixels.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import orjson

from ppocr.serving import tensor_format
from ppocr.serving.declaration import Body, Declaration
from ppocr.serving.tensors import Array, TensorRequest, TensorResponse, bytes_array
from ppocr.serving.v2_rest import LENGTH_HEADER
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Page, Points, quadrilateral
from ppocr_api.errors import InvalidRequest, PpocrError
from transformer.image_file import ImageFile
from transformer.parameters import TEXTS, Parameters
from transformer.pipeline.page import View
from transformer.routes import multipart, schemas, v2_pixels
from transformer.routes.adapter import Adapter, ReadRequest, read_pages
from transformer.routes.first_bytes import is_image
from transformer.routes.form import CONTENT_TYPE

#: Parameters of the V2 protocol, which aren't OCR parameters.
_PROTOCOL = {
    "binary_data_output",
    "sequence_id",
    "sequence_start",
    "sequence_end",
    "priority",
    "timeout",
    "content_type",
}

#: Image files, or the pixels of one image and the language of its text (v2_pixels.py).
_EXPECTED = {"image": ("BYTES", "UINT8"), "lang_type": ("BYTES",)}
INPUTS = [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
OUTPUTS = [
    {"name": "text", "datatype": "BYTES", "shape": [-1]},
    {"name": "confidence", "datatype": "FP32", "shape": [-1]},
    {"name": "points", "datatype": "FP32", "shape": [-1, 4, 2]},
    {"name": "count", "datatype": "INT32", "shape": [-1]},
    {"name": "size", "datatype": "INT32", "shape": [-1, 2]},
]

_EXAMPLE: Final = {
    "model_name": "ppocr",
    "outputs": [
        {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["TAX INVOICE"]},
        {"name": "confidence", "datatype": "FP32", "shape": [1], "data": [0.9981]},
        {"name": "points", "datatype": "FP32", "shape": [1, 4, 2], "data": [120, 33, 301, 33, 301, 58, 120, 58]},
        {"name": "count", "datatype": "INT32", "shape": [1], "data": [1]},
        {"name": "size", "datatype": "INT32", "shape": [1, 2], "data": [600, 800]},
    ],
}

_DECLARATION = tensor_format.declare(
    "v2",
    "The Open Inference Protocol (KServe V2, Triton): image files are the elements of one BYTES tensor, and the lines of all "
    "images come back as tensors. As JSON, with the binary extension (`Inference-Header-Content-Length`), or over gRPC. If "
    "an image can't be read, the whole request fails. If `image` is UINT8 [1, H, W, 3], it holds pixels, and "
    "the answer has the outputs that docling's remote OCR engine expects: `boxes`, `txts` and `scores`.",
    "read images as V2 tensors",
    Body(
        "application/json",
        schemas.TENSORS_IN,
        {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [schemas.EXAMPLE_IMAGE]}]},
    ),
    Body("application/json", schemas.TENSORS_OUT, _EXAMPLE),
    "curl --data-binary @image.jpg {url}/v2/models/{model_name}/infer",
)


class V2(Adapter):
    """Tensors in, tensors out."""

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def takes(self, request: WireRequest) -> bool:
        """Any content type: clients send tensors with many different ones."""
        return True

    def parse(self, request: WireRequest) -> ReadRequest:
        tensors = _whole_body(request) or tensor_format.decode(request, _EXPECTED)
        if v2_pixels.is_asked(tensors):
            file, language = v2_pixels.pixels(tensors)
            view = None if language is None else View(language.see)
            return ReadRequest([file], _parameters(tensors), view=view, kept=(tensors, language))
        return ReadRequest(_files(tensors), _parameters(tensors), kept=(tensors, None))

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        tensors, language = asked.kept
        read = read_pages(pages)
        if v2_pixels.is_asked(tensors):
            return tensor_format.encode(request, tensors, v2_pixels.response(tensors, read[0], language))
        return tensor_format.encode(request, tensors, _response(tensors, asked.parameters, read))


def _whole_body(request: WireRequest) -> TensorRequest | None:
    """A body that is the only element of the only tensor, as in Triton if the header's length is 0; else None."""
    if request.message is not None:
        return None
    if request.content_type == CONTENT_TYPE:
        raise InvalidRequest(f"tensors can't be sent as a form, but images can: {request.line(multipart.LINE)}")
    if request.headers.get(LENGTH_HEADER) != "0" and not is_image(request.body):
        return None
    request.call.version = request.path.get("model_version") or None
    return TensorRequest(
        request.path["model_name"],
        {"image": bytes_array([request.body])},
        request.path.get("model_version", ""),
    )


def _files(request: TensorRequest) -> list[ImageFile]:
    """The images of a request: base64 in JSON, raw bytes as binary data and over gRPC."""
    if "image" not in request.inputs:
        raise InvalidRequest("input 'image' is missing: a BYTES tensor with one element per image file")
    images = request.inputs["image"]
    base64 = "image" in request.json_inputs
    return [ImageFile(item, f"image {index}", base64=base64) for index, item in enumerate(images.ravel())]


def _parameters(request: TensorRequest) -> Parameters:
    return Parameters.parse(
        {
            name: _plain(name, value)
            for name, value in request.parameters.items()
            if name not in _PROTOCOL and not name.startswith("triton_")
        }
    )


def _plain(name: str, value: object) -> object:
    """V2 gRPC has no float in its first version: clients send such a parameter as text."""
    if isinstance(value, str) and name not in TEXTS:
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _response(request: TensorRequest, parameters: Parameters, pages: Sequence[Page]) -> TensorResponse:
    """Lines of all images one after the other; `count` [N] says how many belong to each image.

    With word boxes also `word` BYTES [K], `word_points` FP32 [K,4,2] and `word_count` INT32 [L]; with the classifiers of
    orientation `angle` INT32 [N] of the images, `line_angle` FP32 [L] of the lines.

    A swap may come between two images of a request. One version is named if it read them all; else the parameter
    `models` names that of each image. If a page has warnings, the parameter `warnings` is a JSON list of each page's list.
    """
    lines = [line for page in pages for line in page.lines]
    outputs: dict[str, Array] = {
        "text": bytes_array([line.text.encode() for line in lines]),
        "confidence": np.array([line.confidence for line in lines], np.float32),
        "points": _points([line.points for line in lines]),
        "count": np.array([len(page.lines) for page in pages], np.int32),
        "size": np.array([(page.width, page.height) for page in pages], np.int32),
    }
    if parameters.use_doc_orientation_classify:
        outputs["angle"] = np.array([page.angle for page in pages], np.int32)
    if parameters.use_textline_orientation:
        outputs["line_angle"] = np.array([line.angle for line in lines], np.float32)
    if any(line.words is not None for line in lines):
        words = [line.words or () for line in lines]
        outputs["word"] = bytes_array([word.text.encode() for line in words for word in line])
        outputs["word_confidence"] = np.array([word.confidence for line in words for word in line], np.float32)
        outputs["word_points"] = _points([word.points for line in words for word in line])
        outputs["word_count"] = np.array([len(line) for line in words], np.int32)
    models = [page.model for page in pages]
    agreed = len(set(models)) == 1
    named = {"model": models[0]} if agreed else {"models": ",".join(models)}
    if any(page.warnings for page in pages):
        named["warnings"] = orjson.dumps([page.warnings for page in pages]).decode()
    return TensorResponse(
        model_name=request.model_name,
        model_version=models[0].partition("/")[2] if agreed else "",
        id=request.id,
        parameters=named,
        outputs=outputs,
    )


def _points(quads: Sequence[Points]) -> Array:
    return np.array([quadrilateral(points) for points in quads], np.float32).reshape(-1, 4, 2)
