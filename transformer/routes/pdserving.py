"""PaddleServing's pipeline, as PaddleOCR's deploy/pdserving serves it: HTTP through its gateway, and gRPC.

pdserving_request.py reads a request, pdserving_values.py writes what was read.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import grpc
import orjson

from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.status import http_answer
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Page
from ppocr_api.errors import DeadlineExceeded, PayloadTooLarge, PpocrError, RequestError
from ppocr_grpc.methods import GrpcMethod
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.routes import pdserving_messages_pb2 as messages
from transformer.routes import schemas
from transformer.routes.adapter import Adapter, ReadRequest, read_pages
from transformer.routes.pdserving_request import JsonMismatch, PipelineRequest, Refused, from_json, from_message
from transformer.routes.pdserving_values import ANSWERS

SERVICE: Final = "baidu.paddle_serving.pipeline_serving.PipelineService"
NO_SERVICE: Final = 3002
TIMEOUT: Final = 6000
OTHER: Final = 10000
PROFILE: Final = "pipeline.profile"
_HEADERS: Final = {
    "content-type": "application/json",
    "grpc-metadata-content-type": "application/grpc",
    "grpc-metadata-grpc-accept-encoding": "identity, deflate, gzip",
}
_TIMEOUT: Final = re.compile(r"(\d{1,8})([HMSmun])", re.ASCII)
_SECONDS: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}

_STRINGS: Final = {"type": "array", "items": {"type": "string"}}
_NUMBERS: Final = {"type": "array", "items": {"type": "integer"}}
_TENSOR: Final = {
    "type": "object",
    "description": "an image: its name is image, its elem_type 12, and str_data its base64",
    "properties": {
        "name": {"type": "string"},
        "elem_type": {"type": "integer"},
        "shape": _NUMBERS,
        "str_data": {"type": "array", "items": {"type": "string", "format": "byte"}},
        "int_data": _NUMBERS,
    },
}
_REQUEST: Final = {
    "type": "object",
    "properties": {
        "key": _STRINGS,
        "value": _STRINGS,
        "tensors": {"type": "array", "items": _TENSOR},
        "name": {"type": "string"},
        "method": {"type": "string"},
        "logid": {"type": "integer"},
        "clientip": {"type": "string"},
    },
}
_RESPONSE: Final = {
    "type": "object",
    "properties": {
        "err_no": {"type": "integer"},
        "err_msg": {"type": "string"},
        "key": _STRINGS,
        "value": _STRINGS,
        "tensors": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["err_no", "err_msg", "key", "value", "tensors"],
}
_EXAMPLE: Final = {
    "err_no": 0,
    "err_msg": "",
    "key": ["result"],
    "value": ["[[('BEST', 0.9927), [[127.0, 18.0], [243.0, 16.0], [244.0, 48.0], [127.0, 50.0]]]]"],
    "tensors": [],
}
_TEXT: Final = (
    "PaddleServing's pipeline (PaddleOCR's deploy/pdserving). The image is base64 under the key `image`; the answer's value is "
    "a Python list as text. Errors are a 200 with an `err_no`: 3002 wrong service name, 6000 time limit passed, 8000 "
    "request can't be unpacked, 10000 image can't be read."
)


class Pipeline(Adapter):
    """The format of the pipeline. `alone`: on a dedicated port, where every path of two parts belongs to the pipeline."""

    def __init__(self, name: str = "ocr", answers: str = "result", alone: bool = False) -> None:
        self._name, self._alone = name, alone
        self._key, self._reads, self._value = ANSWERS[answers]
        self._declaration = _declare((f"/{name}/prediction", f"/{name}/{{method}}", "/{name}/prediction"))
        if alone:
            # An empty name counts as the service's name.
            self._declaration = _declare(("/{name}/{method}", "//{method}"))

    @property
    def declaration(self) -> Declaration:
        return self._declaration

    def takes(self, request: WireRequest) -> bool:
        """Any content type, except bodies of the web service, which has the same path."""
        return self._alone or not _is_of_the_web_service(request)

    def parse(self, request: WireRequest) -> ReadRequest:
        _shorten_deadline(request)
        asked = _request(request)
        if (asked.name or self._name) != self._name:
            raise Refused("Failed to inference: Service name error.", NO_SERVICE)
        fields = asked.fields()
        if "image" not in fields:
            raise Refused("the key 'image' is missing", OTHER)
        image = fields["image"]
        if image is None:
            raise Refused("the tensor 'image' must be a string of base64, of the elem_type 12", OTHER)
        file = ImageFile(image, base64=True, lenient=True)
        return ReadRequest([file], Parameters(), reads=self._reads, kept=asked)

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        (page,) = read_pages(pages)
        named = {self._key: self._value(page), **_profile(request, asked.kept)}
        return _answer(request, 0, "", named)

    def render_error(self, request: WireRequest, error: PpocrError) -> WireAnswer:
        """An `err_no` if the pipeline has one for this error; else the gateway's form, or a status over gRPC."""
        err_no = _err_no(request, error)
        if err_no is None:
            return _gateway_error(error)
        try:
            asked = _request(request)
        except RequestError:
            asked = PipelineRequest()
        message = (
            error.message if err_no in (NO_SERVICE, 8000) else f"Log_id: {asked.logid}  Raise_msg: {error.message}"
        )
        return _answer(request, err_no, message, _profile(request, asked), error)

    def render_unrouted(self, error: PpocrError, status: int) -> WireAnswer:
        text = b"Method Not Allowed\n" if status == 405 else b"Not Found\n"
        headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
        return WireAnswer(text, status, headers, error=error)


def _declare(paths: Sequence[str]) -> Declaration:
    body = Body("application/json", _REQUEST, {"key": ["image"], "value": [schemas.EXAMPLE_IMAGE]})
    summary = "read an image, in the format of PaddleServing's pipeline"
    return Declaration(
        "pdserving",
        _TEXT,
        paths=tuple(
            Path(path, summary, ("POST",), (body,), answers=(Body("application/json", _RESPONSE, _EXAMPLE),))
            for path in paths
        ),
        grpc=(GrpcMethod(SERVICE, "inference", summary, messages.Request, messages.Response),),
    )


def _is_of_the_web_service(request: WireRequest) -> bool:
    """Recognises the web service by its member `feed`, or by the content type JSON, which the pipeline's clients don't send."""
    body = request.body
    for place in (body[:4096], body):
        if b'"feed"' in place:
            return True
        if any(name in place for name in (b'"key"', b'"value"', b'"tensors"')):
            return False
    return request.content_type == "application/json"


def _request(request: WireRequest) -> PipelineRequest:
    if request.message is not None:
        return from_message(request.message)
    read = from_json(request.body)
    # The name in the path overrides the one in the body.
    return PipelineRequest(read.keys, read.values, read.tensors, request.path.get("name", ""), read.logid)


def _shorten_deadline(request: WireRequest) -> None:
    text = request.headers.get("grpc-timeout")
    if text is None or request.message is not None:
        return
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        raise JsonMismatch(f"invalid grpc-timeout: {text[:20]}")
    asked = time.monotonic() + int(match[1]) * _SECONDS[match[2]]
    known = request.call.deadline
    request.call.deadline = asked if known is None else min(known, asked)


def _err_no(request: WireRequest, error: PpocrError) -> int | None:
    if isinstance(error, Refused):
        return error.err_no
    if isinstance(error, DeadlineExceeded):
        # A client's deadline is reported by the gateway, the service's own time limit by an `err_no`.
        return None if "grpc-timeout" in request.headers or request.message is not None else TIMEOUT
    if isinstance(error, RequestError) and not isinstance(error, JsonMismatch | PayloadTooLarge):
        return OTHER
    return None


def _answer(
    request: WireRequest, err_no: int, err_msg: str, named: Mapping[str, str], error: PpocrError | None = None
) -> WireAnswer:
    keys, values = list(named), list(named.values())
    if request.message is not None:
        answer = messages.Response(err_no=err_no, err_msg=err_msg, key=keys, value=values)
        return WireAnswer(message=answer, error=error)
    content = {"err_no": err_no, "err_msg": err_msg, "key": keys, "value": values, "tensors": []}
    return WireAnswer(_json(content), headers=_HEADERS, error=error)


def _gateway_error(error: PpocrError) -> WireAnswer:
    status, _, headers = http_answer(error)
    code = getattr(grpc.StatusCode, error.grpc).value[0]
    body = _json({"error": error.message, "code": code, "message": error.message, "details": []})
    return WireAnswer(body, status, {"content-type": "application/json", **headers}, error=error)


def _json(content: Any) -> bytes:
    """JSON as Go writes it, with HTML characters escaped."""
    text = orjson.dumps(content)
    for character in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(character.encode(), f"\\u{ord(character):04x}".encode())
    return text


def _profile(request: WireRequest, asked: PipelineRequest) -> dict[str, str]:
    """The times [µs since 1970] at which the request's stages began and ended, if it asks for them."""
    if dict(zip(asked.keys, asked.values, strict=False)).get(PROFILE) != "1":
        return {}
    since_epoch = time.time() - time.monotonic()
    stages = [
        f"{name}_{index}:{round((since_epoch + at) * 1e6)} "
        for name, *times in request.call.times
        for index, at in enumerate(times)
    ]
    return {PROFILE: f"\nPROFILE\tpid:{os.getpid()}\t{''.join(stages)}\n"}
