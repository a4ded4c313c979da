"""KServe V1: `{"instances": [{"image": {"b64": "…"}}, …], "parameters": {…}}`, and a bare image as the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr.serving.v2_rest import parse_json
from ppocr_api.document import Line, Page
from ppocr_api.errors import InvalidRequest, UnsupportedMedia
from transformer.image_file import ImageFile
from transformer.parameters import Parameters

_SHAPE = '{"instances": [{"image": {"b64": "…"}}]}'


def parse_body(body: bytes, content_type: str, query: Mapping[str, str]) -> tuple[list[ImageFile], Parameters]:
    """A body that KServe left as bytes: an image file, or JSON under another content type."""
    if content_type.startswith("image/") or content_type == "application/octet-stream":
        if not body:
            raise InvalidRequest("the body is empty, and must be an image file")
        return [ImageFile(body)], Parameters.parse_texts(query)
    if content_type in ("", "application/json", "text/json", "text/plain", "application/x-www-form-urlencoded"):
        return parse(parse_json(body, "the body"))
    raise UnsupportedMedia(
        f"content type {content_type[:60]!r}: send application/json, image/* or application/octet-stream"
    )


def parse(message: Any) -> tuple[list[ImageFile], Parameters]:
    """A JSON body."""
    instances = message.get("instances") if isinstance(message, dict) else None
    if not isinstance(instances, list):
        raise InvalidRequest(f"the body must be {_SHAPE}")
    parameters = message.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidRequest("'parameters' must be an object")
    return [_file(instance, index) for index, instance in enumerate(instances)], Parameters.parse(parameters)


def _file(instance: Any, index: int) -> ImageFile:
    where = f"instance {index}"
    image = instance.get("image", instance) if isinstance(instance, dict) else None
    text = image.get("b64") if isinstance(image, dict) else None
    if not isinstance(text, str):
        raise InvalidRequest(f'{where} must be of the form {{"image": {{"b64": "…"}}}}; URLs and paths are not read')
    return ImageFile(text, where, base64=True)


def answer(pages: list[Page]) -> dict[str, Any]:
    """The JSON answer."""
    return {"predictions": [prediction(page) for page in pages]}


def prediction(page: Page) -> dict[str, Any]:
    """One image's part of it."""
    return {
        "lines": [_line(line) for line in page.lines],
        "width": page.width,
        "height": page.height,
        "model": page.model,
    }


def _line(line: Line) -> dict[str, Any]:
    entry: dict[str, Any] = {"text": line.text, "confidence": line.confidence, "points": line.points}
    if line.words is not None:
        entry["words"] = [
            {"text": word.text, "confidence": word.confidence, "points": word.points} for word in line.words
        ]
    return entry
