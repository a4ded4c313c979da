"""KServe V1: `{"instances": [{"image": {"b64": "…"}}, …], "parameters": {…}}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.json_body import member, parse_json
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Line, Page
from ppocr_api.errors import InvalidRequest, PpocrError
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.routes import schemas
from transformer.routes.adapter import Adapter, ReadRequest, read_pages
from transformer.routes.first_bytes import BOM, UNSPECIFIC_TYPES, is_image, is_json

PATH = "/v1/models/{model_name}:predict"
_SHAPE = '{"instances": [{"image": {"b64": "…"}}]}'
#: An example command for error messages.
LINE = f"curl --data-binary @image.jpg {{url}}{PATH}"
#: Members of an instance that hold its image: KServe's, TensorFlow Serving's, Vertex AI's, n8n's and Power Automate's.
_IMAGES = ("image", "image_bytes", "b64", "content", "data", "$content")

#: Member in which Power Automate sends a file in JSON, also as a whole body.
_WHOLE = "$content"

ANSWER = Body("application/json", schemas.PREDICTIONS, {"predictions": [schemas.PREDICTION_EXAMPLE]})

_DECLARATION = Declaration(
    "v1",
    "KServe's V1 protocol. Each instance is one image file as base64; the answer has one prediction per instance, in the "
    "same order. If an image can't be read, the whole request fails, and the error message names the first such instance.",
    paths=(
        Path(
            PATH,
            "read images: JSON with base64",
            ("POST",),
            bodies=(
                Body(
                    "application/json",
                    schemas.INSTANCES,
                    {
                        "instances": [{"image": {"b64": schemas.EXAMPLE_IMAGE}}],
                        "parameters": {"text_rec_score_thresh": 0.5},
                    },
                ),
            ),
            answers=(ANSWER,),
            line=LINE,
        ),
    ),
    also_as=("text/json",),
)


class V1(Adapter):
    """JSON in, JSON out."""

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def takes(self, request: WireRequest) -> bool:
        """JSON by its content type or its first bytes, unless the body is an image."""
        kind = request.content_type
        if self.declaration.reads(kind):
            return not is_image(request.body)
        return (kind in UNSPECIFIC_TYPES or kind.startswith("image/") or kind.endswith("+json")) and is_json(
            request.body
        )

    def parse(self, request: WireRequest) -> ReadRequest:
        if not request.body:
            raise InvalidRequest(f"the body is empty, and must be {_SHAPE} or an image file")
        message = parse_json(request.body.removeprefix(BOM), "the body")
        if isinstance(message, dict) and _WHOLE in message:
            message = {"instances": [message]}
        instances = message.get("instances") if isinstance(message, dict) else None
        if not isinstance(instances, list):
            raise InvalidRequest(
                f"the body is {_shown(message)}, has no list 'instances', and must be {_SHAPE} or an image file"
            )
        _check_members(message, "the body")
        parameters = Parameters.parse(member(message, "parameters", dict, {}))
        return ReadRequest([_file(instance, index) for index, instance in enumerate(instances)], parameters)

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        return answer(read_pages(pages), asked.parameters)


def answer(pages: Sequence[Page], parameters: Parameters) -> WireAnswer:
    """V1's answer. Each page is written by itself: one call for all of them may take seconds, and lets no other thread on."""
    written = [orjson.Fragment(orjson.dumps(prediction(page, parameters))) for page in pages]
    return WireAnswer(orjson.dumps({"predictions": written}))


def prediction(page: Page, parameters: Parameters) -> dict[str, Any]:
    """The prediction of one image, with angles if the request asked for them, and with warnings if there are any."""
    more: dict[str, Any] = {"angle": page.angle} if parameters.use_doc_orientation_classify else {}
    if page.warnings:
        more["warnings"] = page.warnings
    lines = [_line(line, parameters) for line in page.lines]
    return {"lines": lines, "width": page.width, "height": page.height, **more, "model": page.model}


def _line(line: Line, parameters: Parameters) -> dict[str, Any]:
    entry: dict[str, Any] = {"text": line.text, "confidence": line.confidence, "points": line.points}
    if parameters.use_textline_orientation:
        entry["angle"] = line.angle
    if line.words is not None:
        entry["words"] = [
            {"text": word.text, "confidence": word.confidence, "points": word.points} for word in line.words
        ]
    return entry


def _shown(message: Any) -> str:
    """A short description of a JSON value."""
    if isinstance(message, dict) and message:
        return f"an object with {', '.join(repr(name[:30]) for name in list(message)[:4])}"
    kinds = ((dict, "an empty object"), (list, "a list"), (str, "a text"))
    return next((name for kind, name in kinds if isinstance(message, kind)), "a single value")


def _check_members(known: dict[str, Any], where: str) -> None:
    """Raises InvalidRequest for a parameter in a place where it would have no effect."""
    found = next((name for name in known if name in schemas.PARAMETERS), None)
    if found is not None:
        raise InvalidRequest(
            f"{where} has {found!r} as a member, which belongs in 'parameters': "
            f'{{"instances": […], "parameters": {{"{found}": …}}}}'
        )


def _file(instance: Any, index: int) -> ImageFile:
    where = f"instance {index}"
    if isinstance(instance, dict):
        _check_members(instance, where)
    text = _text_of(instance)
    if text is None:
        raise InvalidRequest(
            f'{where} must be of the form {{"image": {{"b64": "…"}}}}, or base64 text; URLs and paths are not accepted'
        )
    return ImageFile(text, where, base64=True)


def _text_of(instance: Any) -> str | None:
    """The base64 of an instance: itself, a member, or a member's member."""
    for _ in range(2):
        if isinstance(instance, dict):
            instance = next((instance[name] for name in _IMAGES if name in instance), None)
    return instance if isinstance(instance, str) else None
