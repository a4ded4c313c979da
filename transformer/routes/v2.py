"""KServe V2 (REST, its binary extension, gRPC): BYTES tensor `image` in; text, confidence, points and count out."""

from __future__ import annotations

import numpy as np

from ppocr.serving.tensors import DTYPES, NAMES, TensorRequest, TensorResponse, bytes_array
from ppocr_api.document import Page, Points
from ppocr_api.errors import InvalidRequest
from transformer.image_file import ImageFile
from transformer.parameters import Parameters

#: V2's own parameters, which say something of the protocol and nothing of the reading.
_PROTOCOL = {
    "binary_data_output",
    "sequence_id",
    "sequence_start",
    "sequence_end",
    "priority",
    "timeout",
    "content_type",
}

INPUTS = [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
OUTPUTS = [
    {"name": "text", "datatype": "BYTES", "shape": [-1]},
    {"name": "confidence", "datatype": "FP32", "shape": [-1]},
    {"name": "points", "datatype": "FP32", "shape": [-1, 4, 2]},
    {"name": "count", "datatype": "INT32", "shape": [-1]},
    {"name": "size", "datatype": "INT32", "shape": [-1, 2]},
]


def parse(request: TensorRequest) -> tuple[list[ImageFile], Parameters]:
    """The images of a request. In JSON their bytes are base64; as binary data and over gRPC they are the file's own."""
    unknown = sorted(set(request.inputs) - {"image"})
    if unknown:
        raise InvalidRequest(f"input '{unknown[0]}' is unknown; there is one input, 'image'")
    if "image" not in request.inputs:
        raise InvalidRequest("input 'image' is missing: a BYTES tensor with one element an image file")
    images = request.inputs["image"]
    if images.dtype != DTYPES["BYTES"]:
        raise InvalidRequest(f"input 'image' is {NAMES[images.dtype]}, and must be BYTES")
    files = [
        ImageFile(item, f"image {index}", base64="image" in request.json_inputs)
        for index, item in enumerate(images.ravel())
    ]
    parameters = {
        name: _plain(name, value)
        for name, value in request.parameters.items()
        if name not in _PROTOCOL and not name.startswith("triton_")
    }
    return files, Parameters.parse(parameters)


def _plain(name: str, value: object) -> object:
    """V2 gRPC has no float in its first version: clients send such a parameter as text."""
    if isinstance(value, str) and name != "text_det_limit_type":
        try:
            return float(value)
        except ValueError:
            return value
    return value


def answer(request: TensorRequest, pages: list[Page]) -> TensorResponse:
    """Lines of all images one after the other; `count` [N] says how many belong to each image.

    With word boxes also `word` BYTES [K], `word_points` FP32 [K,4,2] and `word_count` INT32 [L].
    """
    lines = [line for page in pages for line in page.lines]
    outputs = {
        "text": bytes_array([line.text.encode() for line in lines]),
        "confidence": np.array([line.confidence for line in lines], np.float32),
        "points": _points([line.points for line in lines]),
        "count": np.array([len(page.lines) for page in pages], np.int32),
        "size": np.array([(page.width, page.height) for page in pages], np.int32),
    }
    if any(line.words is not None for line in lines):
        words = [line.words or () for line in lines]
        outputs["word"] = bytes_array([word.text.encode() for line in words for word in line])
        outputs["word_confidence"] = np.array([word.confidence for line in words for word in line], np.float32)
        outputs["word_points"] = _points([word.points for line in words for word in line])
        outputs["word_count"] = np.array([len(line) for line in words], np.int32)
    return TensorResponse(
        model_name=request.model_name,
        model_version=pages[0].model.partition("/")[2],
        id=request.id,
        parameters={"model": pages[0].model},
        outputs=outputs,
    )


def _points(quads: list[Points]) -> np.ndarray:
    return np.array(quads, np.float32).reshape(-1, 4, 2)
