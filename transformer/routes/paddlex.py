"""PaddleX and PaddleOCR 3: `POST /ocr` with `{"file": "<base64>", "fileType": 1, …}`, and `GET /health`."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.json_body import loaded
from ppocr.serving.status import http_answer
from ppocr.serving.wire import Infer, WireAnswer, WireRequest
from ppocr_api.document import Page
from ppocr_api.errors import InvalidRequest, PpocrError
from transformer.image_file import ImageFile
from transformer.outputs.paddlex import EXAMPLE, Result
from transformer.parameters import Parameters
from transformer.pipeline.page import View
from transformer.routes import schemas
from transformer.routes.adapter import Adapter, ReadRequest, read_pages
from transformer.routes.first_bytes import is_image
from transformer.routes.form import CONTENT_TYPE
from transformer.urls.url_file import UrlFile, is_url

_HEALTH: Final = "/health"
_PDF: Final = 0
#: The limit for a negative side length, which in PaddleX means the image's own size.
_NO_LIMIT: Final = {"text_det_limit_side_len": 4000, "text_det_limit_type": "max"}
#: Name of the file in PaddleX' errors.
_FILE: Final = "Invalid input file"


class _Asked(BaseModel):
    """The body of a request. Values are converted and refused as in PaddleX, which has the same model."""

    model_config = ConfigDict(alias_generator=to_camel)

    file: str
    file_type: Literal[0, 1] | None = None
    use_doc_orientation_classify: bool | None = None
    use_doc_unwarping: bool | None = None
    use_textline_orientation: bool | None = None
    text_det_limit_side_len: int | None = None
    text_det_limit_type: str | None = None
    text_det_thresh: float | None = None
    text_det_box_thresh: float | None = None
    text_det_unclip_ratio: float | None = None
    text_rec_score_thresh: float | None = None
    return_word_box: bool | None = None
    visualize: bool | None = None
    log_id: str | None = None

    def parameters(self) -> Parameters:
        """The parameters that PaddleX and this service share. Raises InvalidRequest."""
        names = [field.name for field in dataclasses.fields(Parameters) if field.name in type(self).model_fields]
        asked = {name: getattr(self, name) for name in names}
        if self.text_det_limit_side_len is not None and self.text_det_limit_side_len < 0:
            asked |= _NO_LIMIT
        return Parameters.parse(asked)


_LINE: Final = (
    """(printf '{"fileType": 1, "visualize": false, "file": "'; base64 < image.jpg; printf '"}') | tr -d '\\n' | """
    "curl -H 'Content-Type: application/json' --data-binary @- {url}/ocr"
)
_ENVELOPE: Final = {
    "logId": {"type": "string"},
    "errorCode": {"type": "integer"},
    "errorMsg": {"type": "string"},
}
_ANSWER: Final = {
    "type": "object",
    "properties": {**_ENVELOPE, "result": {"type": "object"}},
    "required": ["logId", "result", "errorCode", "errorMsg"],
}
_LOG_ID: Final = "26d4267a-9c6e-4a1a-b931-610475883d49"
_HEALTHY: Final = {"logId": _LOG_ID, "errorCode": 0, "errorMsg": "Healthy"}
_READ: Final = {
    "logId": _LOG_ID,
    "result": {"ocrResults": [EXAMPLE], "dataInfo": {"width": 600, "height": 800, "type": "image"}},
    "errorCode": 0,
    "errorMsg": "Success",
}
_ERROR = Body(
    "application/json",
    {"type": "object", "properties": _ENVELOPE, "required": list(_ENVELOPE)},
    {"logId": _LOG_ID, "errorCode": 422, "errorMsg": "Invalid input file: the image is truncated"},
)


def _schema() -> dict[str, Any]:
    properties = _Asked.model_json_schema()["properties"].items()
    # A default of null only means that the member is optional; FastAPI omits it.
    plain = {name: {key: value for key, value in each.items() if key != "default"} for name, each in properties}
    return {"type": "object", "properties": plain, "required": ["file"]}


_DECLARATION = Declaration(
    "paddlex",
    "The OCR pipeline of PaddleX and PaddleOCR 3, as served by `paddlex --serve`. One image as base64; its lines under "
    "PaddleOCR's names. `visualize` (on by default) adds JPEG pictures. `fileType` must be 1: PDF files "
    "and TIFFs of several pages aren't read, and pages are not unwarped. A URL is fetched only from the hosts in `url_hosts`. "
    "Wrong requests are a 422.",
    paths=(
        Path(
            "/ocr",
            "read an image, in the format of PaddleX and PaddleOCR 3",
            ("POST",),
            bodies=(
                Body("application/json", _schema(), {"file": schemas.EXAMPLE_IMAGE, "fileType": 1, "visualize": False}),
            ),
            answers=(Body("application/json", _ANSWER, _READ),),
            error=_ERROR,
            line=_LINE,
        ),
        Path(
            _HEALTH,
            "liveness in PaddleX' form",
            answers=(Body("application/json", _ERROR.schema, _HEALTHY),),
            error=_ERROR,
        ),
    ),
)


class PaddleX(Adapter):
    """JSON in, JSON out."""

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def takes(self, request: WireRequest) -> bool:
        """Any content type: errors are answered as in PaddleX."""
        return True

    async def answer(self, request: WireRequest, infer: Infer) -> WireAnswer:
        if request.call.route == _HEALTH:
            return _answer({"logId": _new_id(), "errorCode": 0, "errorMsg": "Healthy"})
        return await super().answer(request, infer)

    def parse(self, request: WireRequest) -> ReadRequest:
        asked = _validated(_json(request))
        file = (
            UrlFile(asked.file, _FILE, whole=True)
            if is_url(asked.file)
            else ImageFile(asked.file, _FILE, base64=True, whole=True)
        )
        if asked.file_type is None and not isinstance(file, UrlFile):
            raise InvalidRequest("File type cannot be determined: set fileType to 1 for an image")
        if asked.file_type == _PDF:
            raise InvalidRequest("PDF files are not supported: send each page as an image, with fileType 1")
        if asked.use_doc_unwarping:
            raise InvalidRequest("useDocUnwarping: there is no network here that unwarps a page")
        result = Result(pictures=asked.visualize is not False)
        return ReadRequest(
            [file],
            asked.parameters(),
            view=View(result.see, pixels=result.pictures),
            kept=(asked.log_id or _new_id(), result),
        )

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        log_id, result = asked.kept
        (page,) = read_pages(pages)
        data_info = {"width": page.width, "height": page.height, "type": "image"}
        read = {"ocrResults": [result.of(page)], "dataInfo": data_info}
        return _answer({"logId": log_id, "result": read, "errorCode": 0, "errorMsg": "Success"})

    def render_error(self, request: WireRequest, error: PpocrError) -> WireAnswer:
        status, _, headers = http_answer(error)
        if status == HTTPStatus.BAD_REQUEST:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _refusal(_log_id(request), status, error.message, error, headers)

    def render_unrouted(self, error: PpocrError, status: int) -> WireAnswer:
        return _refusal(_new_id(), status, HTTPStatus(status).phrase, error)


def _json(request: WireRequest) -> Any:
    """The body's JSON; with another content type its bytes, which are then refused because they aren't an object."""
    kind = request.content_type
    if is_image(request.body) or kind == CONTENT_TYPE:
        sent = "a form" if kind == CONTENT_TYPE else "an image file"
        raise InvalidRequest(
            f"the body is {sent}, and must be JSON that holds the file's base64: {request.line(_LINE)}"
        )
    if not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        return request.body
    try:
        return loaded(request.body, "the body")
    except orjson.JSONDecodeError as error:
        raise _invalid([("json_invalid", ("body", error.pos), "JSON decode error")]) from error


def _validated(message: Any) -> _Asked:
    if not isinstance(message, dict):
        text = "Input should be a valid dictionary or object to extract fields from"
        raise _invalid([("model_attributes_type", ("body",), text)])
    try:
        return _Asked.model_validate(message)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise _invalid([(each["type"], ("body", *each["loc"]), each["msg"]) for each in found]) from error


def _invalid(errors: Sequence[tuple[str, Sequence[str | int], str]]) -> InvalidRequest:
    """PaddleX' error message: JSON inside JSON."""
    listed = [{"type": kind, "loc": _place(loc), "msg": message} for kind, loc, message in errors]
    return InvalidRequest(json.dumps(listed))


def _place(loc: Sequence[str | int]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc[1:])
    return str(loc[0]) + "".join(parts)


def _log_id(request: WireRequest) -> str:
    """The request's log id, or a new one. The body is parsed again, but only for errors."""
    try:
        message = loaded(request.body)
    except (orjson.JSONDecodeError, InvalidRequest):
        return _new_id()
    asked = message.get("logId") if isinstance(message, dict) else None
    return asked if isinstance(asked, str) and asked else _new_id()


def _new_id() -> str:
    return str(uuid.uuid4())


def _refusal(
    log_id: str, status: int, message: str, error: PpocrError, headers: Mapping[str, str] | None = None
) -> WireAnswer:
    body = {"logId": log_id, "errorCode": int(status), "errorMsg": message}
    return dataclasses.replace(_answer(body, headers or {}), status=int(status), error=error)


def _answer(message: dict[str, Any], headers: Mapping[str, str] | None = None) -> WireAnswer:
    return WireAnswer(orjson.dumps(message), headers={"content-type": "application/json", **(headers or {})})
