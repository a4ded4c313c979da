"""One image as a request, and the texts of its answer, in every form that the service speaks (docs/api.md)."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loadtest.pictures import Picture
from ppocr_api import oip

_HEADER_LENGTH = "Inference-Header-Content-Length"
_JSON = "application/json"


@dataclass(frozen=True)
class HttpRequest:
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Read:
    """An answer: the texts of its lines, and the version (name/number) that read them."""

    lines: list[str]
    version: str


@dataclass(frozen=True)
class HttpProtocol:
    """`request` of (model, picture) is made once and kept; `read` of (answer's headers, body) raises ValueError."""

    request: Callable[[str, Picture], HttpRequest]
    read: Callable[[Mapping[str, str], bytes], Read]


@functools.cache
def _raw(model: str, picture: Picture) -> HttpRequest:
    return HttpRequest(f"/v1/models/{model}:predict", {"Content-Type": picture.kind}, picture.data)


@functools.cache
def _v1(model: str, picture: Picture) -> HttpRequest:
    body = json.dumps({"instances": [{"image": {"b64": base64.b64encode(picture.data).decode()}}]})
    return HttpRequest(f"/v1/models/{model}:predict", {"Content-Type": _JSON}, body.encode())


@functools.cache
def _v2(model: str, picture: Picture) -> HttpRequest:
    data = [base64.b64encode(picture.data).decode()]
    body = json.dumps({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": data}]})
    return HttpRequest(f"/v2/models/{model}/infer", {"Content-Type": _JSON}, body.encode())


@functools.cache
def _binary(model: str, picture: Picture) -> HttpRequest:
    raw = oip.pack_bytes([picture.data])
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    headers = {"Content-Type": "application/octet-stream", _HEADER_LENGTH: str(len(head))}
    return HttpRequest(f"/v2/models/{model}/infer", headers, head + raw)


def _v1_read(headers: Mapping[str, str], body: bytes) -> Read:
    (prediction,) = _fields(json.loads(body), "predictions")
    return Read([line["text"] for line in prediction["lines"]], prediction["model"])


def _v2_read(headers: Mapping[str, str], body: bytes) -> Read:
    answer, text = json.loads(body), list[str]()
    (text,) = [tensor["data"] for tensor in _fields(answer, "outputs") if tensor["name"] == "text"]
    return Read(text, _version(answer))


def _binary_read(headers: Mapping[str, str], body: bytes) -> Read:
    end = int(headers[_HEADER_LENGTH])
    at, answer = end, json.loads(body[:end])
    for tensor in _fields(answer, "outputs"):
        size = tensor["parameters"]["binary_data_size"]
        if tensor["name"] == "text":
            return Read([item.decode() for item in oip.unpack_bytes(body[at : at + size])], _version(answer))
        at += size
    raise ValueError("the answer has no tensor 'text'")


def _version(answer: Any) -> str:
    return str(answer["parameters"]["model"])


def _fields(answer: Any, name: str) -> list[Any]:
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise ValueError(f"the answer has no {name!r}")
    return found


HTTP: dict[str, HttpProtocol] = {
    "raw": HttpProtocol(_raw, _v1_read),
    "v1": HttpProtocol(_v1, _v1_read),
    "v2": HttpProtocol(_v2, _v2_read),
    "binary": HttpProtocol(_binary, _binary_read),
}


@functools.cache
def grpc_request(model: str, picture: Picture) -> Any:
    """A ModelInferRequest."""
    request = oip.ModelInferRequest(model_name=model)
    request.inputs.add(name="image", datatype="BYTES", shape=[1])
    request.raw_input_contents.append(oip.pack_bytes([picture.data]))
    return request


def grpc_read(answer: Any) -> Read:
    """What a ModelInferResponse says. Raises ValueError."""
    names = [tensor.name for tensor in answer.outputs]
    raw = dict(zip(names, answer.raw_output_contents, strict=True))
    if "text" not in raw:
        raise ValueError("the answer has no tensor 'text'")
    lines = [item.decode() for item in oip.unpack_bytes(raw["text"])]
    return Read(lines, answer.parameters["model"].string_param)
