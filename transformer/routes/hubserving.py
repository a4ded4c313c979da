"""PaddleHub Serving: `POST /predict/ocr_system`, `ocr_det`, `ocr_rec` and `ocr_cls` with `{"images": ["<base64>", …]}`.

Success and errors of the caller are a 200 with a `status`: 000 read, 101 not read, 111 no such module, 112 no JSON. If the
service couldn't read (overloaded, draining, time limit), the HTTP status shows it too, for clients and load balancers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import Response
from fastapi.responses import HTMLResponse

from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.json_body import parse_json
from ppocr.serving.routing import Endpoints
from ppocr.serving.status import http_answer
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Line, Page
from ppocr_api.errors import InvalidImage, InvalidRequest, PpocrError
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.pipeline.plan import Reads
from transformer.routes import schemas
from transformer.routes.adapter import Adapter, ReadRequest
from transformer.routes.flask_page import flask_page


@dataclass(frozen=True)
class _Module:
    """`reads` is what it does with an image. The images' results are lists of their own, or `joined` in one, in which an image
    that can't be decoded has no place."""

    reads: Reads
    parameters: Parameters
    joined: bool


_MODULES: Final[Mapping[str, _Module]] = {
    "ocr_system": _Module("page", Parameters(text_rec_score_thresh=0.5), joined=False),
    "ocr_det": _Module("boxes", Parameters(), joined=False),
    "ocr_rec": _Module("line", Parameters(), joined=True),
    "ocr_cls": _Module("line_angle", Parameters(use_textline_orientation=True), joined=True),
}
_BASE64 = re.compile("[A-Za-z0-9+/]")
_OLD_USAGE = (
    "This usage is out of date, please use 'application/json' as content-type to post to /predict/{}. "
    "See 'https://github.com/PaddlePaddle/PaddleHub/blob/release/v1.6/docs/tutorial/serving.md' for more details."
)

_ANSWER: Final = {
    "type": "object",
    "properties": {"msg": {"type": "string"}, "results": {}, "status": {"type": "string"}},
    "required": ["msg", "results", "status"],
}
_EXAMPLE: Final = {
    "msg": "",
    "results": [
        [{"confidence": 0.9981, "text": "TAX INVOICE", "text_region": [[120, 33], [301, 33], [301, 58], [120, 58]]}]
    ],
    "status": "000",
}
_DECLARATION = Declaration(
    "hubserving",
    "PaddleHub Serving, as in `deploy/hubserving` of PaddleOCR 2: images as base64, and a list of lines for each. "
    "`ocr_system` reads pages, `ocr_det` finds their lines, `ocr_rec` reads images of one line, `ocr_cls` tells whether such a "
    "line is upside down. An image that can't be decoded gives an empty list (`ocr_rec`, `ocr_cls`: none). `paths` are not "
    "read.",
    paths=(
        Path(
            "/predict/{module}",
            "read images, in the format of PaddleHub Serving: ocr_system, ocr_det, ocr_rec, ocr_cls",
            ("POST",),
            bodies=(
                Body(
                    "application/json",
                    {
                        "type": "object",
                        "properties": {
                            "images": {"type": "array", "items": {"type": "string", "format": "byte"}, "minItems": 1}
                        },
                        "required": ["images"],
                    },
                    {"images": [schemas.EXAMPLE_IMAGE]},
                ),
            ),
            answers=(Body("application/json", _ANSWER, _EXAMPLE),),
            error=Body("application/json", _ANSWER, {"msg": "image 0 is not base64", "results": "", "status": "101"}),
        ),
    ),
)


class _Refused(InvalidRequest):
    """An error with a status other than 101 in the envelope; None means HTTP 400."""

    def __init__(self, status: str | None, message: str) -> None:
        super().__init__(message)
        self.status = status


class HubServing(Adapter):
    """JSON in, an envelope out."""

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def takes(self, request: WireRequest) -> bool:
        """Any content type: errors are answered in the envelope."""
        return True

    def parse(self, request: WireRequest) -> ReadRequest:
        name = request.path.get("module", "")
        module = _MODULES.get(name)
        if module is None:
            raise _Refused("111", f"Module {name} is not available.")
        message = _message(request, name)
        images = _images(message) if isinstance(message, dict) else None
        if images is None:
            raise InvalidRequest('the body must be {"images": ["<base64>", …]}')
        files = [_file(item, index) for index, item in enumerate(images)]
        return ReadRequest(files, module.parameters, partial=True, reads=module.reads, kept=(name, module))

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        name, module = asked.kept
        for page in pages:
            if isinstance(page, PpocrError) and not isinstance(page, InvalidImage):
                raise page
        read = [_entries(name, page) if isinstance(page, Page) else [] for page in pages]
        return _envelope("", [[entry for entries in read for entry in entries]] if module.joined else read, "000")

    def render_error(self, request: WireRequest, error: PpocrError) -> WireAnswer:
        status, _, headers = http_answer(error)
        if isinstance(error, _Refused) and error.status is None:
            return flask_page(error, HTTPStatus.BAD_REQUEST)
        code = error.status if isinstance(error, _Refused) and error.status else "101"
        if status == HTTPStatus.BAD_REQUEST:
            status = HTTPStatus.OK
        return _envelope(error.message, "", code, status, headers, error)

    def render_unrouted(self, error: PpocrError, status: int) -> WireAnswer:
        return flask_page(error, status)


def index() -> Endpoints:
    """The answer at `/` on a dedicated port, as in PaddleHub Serving."""

    async def nothing() -> Response:
        return HTMLResponse("No visual interface is provided here: post images to /predict/ocr_system.")

    declaration = Declaration(
        "hubserving_index", "The root of a port of its own.", (Path("/", "a sentence", ("GET", "POST")),)
    )
    return Endpoints(declaration, {"/": nothing})


def _message(request: WireRequest, module: str) -> Any:
    """The JSON of the body, which is some object or list."""
    kind = request.content_type
    if not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        raise _Refused("112", _OLD_USAGE.format(module))
    try:
        message = parse_json(request.body, "the body")
    except InvalidRequest as error:
        raise _Refused(None, error.message) from error
    if message is None:
        raise _Refused("112", _OLD_USAGE.format(module))
    if not isinstance(message, dict | list):
        raise _Refused(None, 'the body must be {"images": ["<base64>", …]}')
    return message


def _images(message: dict[str, Any]) -> list[Any] | None:
    unknown = sorted(message.keys() - {"images", "paths"})
    if unknown:
        raise InvalidRequest(f"predict() got an unexpected keyword argument '{unknown[0][:60]}'")
    if message.get("paths"):
        raise InvalidRequest("paths on the server are not accepted: send the files as base64 in 'images'")
    images = message.get("images")
    return images if isinstance(images, list) else None


def _file(item: Any, index: int) -> ImageFile:
    # The lenient decoder returns no bytes for a text without any base64 character.
    if not isinstance(item, str) or not _BASE64.search(item):
        raise InvalidRequest(f"image {index} must be an image file as base64")
    return ImageFile(item, f"image {index}", base64=True, lenient=True)


def _entries(module: str, page: Page) -> list[dict[str, Any]]:
    """The entries of one image in the results; exactly one for `ocr_rec` and `ocr_cls`."""
    if module == "ocr_cls":
        return [{"angle": str(round(line.angle)), "confidence": line.confidence} for line in page.lines]
    if module == "ocr_rec":
        lines = page.lines or (Line("", 0.0, ()),)
        return [{"confidence": line.confidence, "text": line.text} for line in lines]
    if module == "ocr_det":
        return [{"text_region": _corners(line)} for line in page.lines]
    return [{"confidence": line.confidence, "text": line.text, "text_region": _corners(line)} for line in page.lines]


def _corners(line: Line) -> list[list[int]]:
    return [[round(x), round(y)] for x, y in line.points]


def _envelope(
    msg: str,
    results: Any,
    status: str,
    http: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    error: PpocrError | None = None,
) -> WireAnswer:
    body = orjson.dumps({"msg": msg, "results": results, "status": status}) + b"\n"
    return WireAnswer(body, http, {"content-type": "application/json", **(headers or {})}, error=error)
