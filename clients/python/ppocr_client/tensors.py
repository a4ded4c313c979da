"""Converts images to a V2 request, and an answer's flat tensors to pages; all tensors are raw."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ppocr_api import oip
from ppocr_api.document import Line, Page, Point, Points, Word
from ppocr_api.errors import PpocrError
from ppocr_client.images import ReadParameters

T = TypeVar("T")


def request_of(model: str, images: list[bytes], parameters: ReadParameters) -> Any:
    """The ModelInferRequest that reads `images` in one go."""
    request = oip.ModelInferRequest(model_name=model)
    for name, value in parameters.items():
        if value is not None:
            request.parameters[name].CopyFrom(oip.parameter(value))  # type: ignore[arg-type]
    request.inputs.add(name="image", datatype="BYTES", shape=[len(images)])
    request.raw_input_contents.append(oip.pack_bytes(images))
    return request


def pages_of(response: Any) -> list[Page]:
    """Cuts the response's flat tensors into one page per image. Raises PpocrError if they don't fit together."""
    try:
        names = [tensor.name for tensor in response.outputs]
        raw = dict(zip(names, response.raw_output_contents, strict=True))
        lines = [Line(*line) for line in _quads(raw["text"], raw["confidence"], raw["points"])]
        if "word" in raw:
            words = [Word(*word) for word in _quads(raw["word"], raw["word_confidence"], raw["word_points"])]
            cut = zip(lines, _cut(words, raw["word_count"]), strict=True)
            lines = [replace(line, words=own) for line, own in cut]
        if "line_angle" in raw:
            turned = zip(lines, _numbers("f", raw["line_angle"]), strict=True)
            lines = [replace(line, angle=angle) for line, angle in turned]
        sizes = list(zip(*[iter(_numbers("i", raw["size"]))] * 2, strict=True))
        angles = _numbers("i", raw["angle"]) if "angle" in raw else [0] * len(sizes)
        models = _models(response.parameters, len(sizes))
        warned = response.parameters["warnings"].string_param
        warnings = [tuple(each) for each in json.loads(warned)] if warned else [()] * len(sizes)
        return [
            Page(own, width, height, model, angle, warnings=warning)
            for own, (width, height), angle, model, warning in zip(
                _cut(lines, raw["count"]), sizes, angles, models, warnings, strict=True
            )
        ]
    except (KeyError, ValueError, struct.error) as error:
        raise PpocrError(f"the answer's tensors don't fit together: {error}") from error


def _models(parameters: Any, images: int) -> list[str]:
    """What read each image: all the same, or after a change of the model between two of them one for each."""
    if "models" in parameters:
        return list(parameters["models"].string_param.split(","))
    return [parameters["model"].string_param] * images


def _quads(texts: bytes, confidences: bytes, points: bytes) -> list[tuple[str, float, Points]]:
    """Raw BYTES [L], FP32 [L] and FP32 [L,4,2] as L triples."""
    corners: Iterator[Point] = zip(*[iter(_numbers("f", points))] * 2, strict=True)
    quads: Iterator[Points] = zip(*[corners] * 4, strict=True)
    decoded = (item.decode() for item in oip.unpack_bytes(texts))
    return list(zip(decoded, _numbers("f", confidences), quads, strict=True))


def _cut(items: Sequence[T], counts: bytes) -> list[tuple[T, ...]]:
    """`items` in runs of raw INT32 `counts`, which must use them up."""
    lengths = _numbers("i", counts)
    if sum(lengths) != len(items) or min(lengths, default=0) < 0:
        raise ValueError(f"{len(items)} elements, and counts of {sum(lengths)}")
    each = iter(items)
    return [tuple(itertools.islice(each, length)) for length in lengths]


def _numbers(kind: str, raw: bytes) -> tuple[Any, ...]:
    """Raw FP32 ("f") or INT32 ("i") as Python numbers."""
    return struct.unpack(f"<{len(raw) // 4}{kind}", raw)
