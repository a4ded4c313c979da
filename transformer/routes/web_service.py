"""PaddleServing's web service, as PaddleOCR's deploy/pdserving/win serves it: the first image of `feed`, and its texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.json_body import parse_json
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Page
from ppocr_api.errors import InvalidRequest, PpocrError
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.routes import schemas
from transformer.routes.adapter import Adapter, ReadRequest, read_pages
from transformer.routes.flask_page import flask_page

_REQUEST: Final = {
    "type": "object",
    "properties": {
        "feed": {
            "type": "array",
            "items": {"type": "object", "properties": {"image": {"type": "string", "format": "byte"}}},
        },
        "fetch": {"description": "must be there; what it says is not looked at"},
    },
    "required": ["feed", "fetch"],
}
_RESPONSE: Final = {"type": "object", "properties": {"result": {}}, "required": ["result"]}
_TEXT: Final = (
    "PaddleServing's web service for Windows (PaddleOCR's deploy/pdserving/win), on the pipeline's path. Bodies with `feed` "
    "belong to this format. Only the first image of `feed` is read. Invalid base64 is a 200 with the error message as `result`."
)


class _NotOfThisForm(InvalidRequest):
    """A required member of the body is missing."""


class WebService(Adapter):
    """An image in, texts out."""

    def __init__(self, name: str = "ocr") -> None:
        body = Body("application/json", _REQUEST, {"feed": [{"image": schemas.EXAMPLE_IMAGE}], "fetch": ["res"]})
        answer = Body("application/json", _RESPONSE, {"result": {"res": ["TAX INVOICE"]}})
        summary = "read an image, in the format of PaddleServing's web service"
        path = Path(f"/{name}/prediction", summary, ("POST",), (body,), answers=(answer,))
        self._declaration = Declaration("web_service", _TEXT, paths=(path,))

    @property
    def declaration(self) -> Declaration:
        return self._declaration

    def takes(self, request: WireRequest) -> bool:
        """Any content type: if it isn't JSON, the error has this format's form."""
        return True

    def parse(self, request: WireRequest) -> ReadRequest:
        kind = request.content_type
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise _NotOfThisForm("the content type must be application/json")
        try:
            message = parse_json(request.body, "the body")
        except InvalidRequest as error:
            raise _NotOfThisForm(error.message) from error
        if not isinstance(message, dict) or "fetch" not in message:
            raise _NotOfThisForm("the body must be an object with 'feed' and 'fetch'")
        feed = message.get("feed")
        first = feed[0] if isinstance(feed, list) and feed else None
        image = first.get("image") if isinstance(first, dict) else None
        if not isinstance(image, str):
            raise _NotOfThisForm("'feed' must be a list of an object whose 'image' is base64")
        return ReadRequest([ImageFile(image, base64=True, lenient=True)], Parameters())

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        (page,) = read_pages(pages)
        return _result({"res": [line.text for line in page.lines]})

    def render_error(self, request: WireRequest, error: PpocrError) -> WireAnswer:
        if isinstance(error, InvalidRequest) and not isinstance(error, _NotOfThisForm):
            return _result(error.message, error)
        return flask_page(error, int(error.http))

    def render_unrouted(self, error: PpocrError, status: int) -> WireAnswer:
        return flask_page(error, status)


def _result(result: object, error: PpocrError | None = None) -> WireAnswer:
    return WireAnswer(orjson.dumps({"result": result}) + b"\n", error=error)
