"""Requests over HTTP as the declarations describe them: right, nearly right, and broken."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.v2_rest import LENGTH_HEADER
from tests.fuzz import seeds
from tests.fuzz.from_schema import IMAGES, from_schema
from tests.fuzz.mutators import changed, changed_bytes
from tests.fuzz.targets import PARTS
from transformer.routes import FORMATS

CONTENT_TYPES = sorted({known for each in FORMATS for known in each.declaration.content_types} | {"", "text/plain"})
#: Other names for the parts of a path.
_OTHERS = ("x", "2", "0", "..", "%2e%2e", "é", "a" * 300, "ocr_rec", "*")
_DICE = st.randoms(use_true_random=False)
#: Headers that mean something, with values that are right or wrong.
_HEADERS = st.sampled_from(
    [
        {"x-request-timeout-ms": "nan"},
        {"x-request-timeout-ms": "60000"},
        {"x-envoy-expected-rq-timeout-ms": "-1"},
        {"grpc-timeout": "9S"},
        {"grpc-timeout": "9" * 30},
        {LENGTH_HEADER: "0"},
        {LENGTH_HEADER: "9" * 30},
        {"content-encoding": "deflate"},
        {"content-encoding": "br"},
        {"accept-encoding": "gzip"},
        {"accept": "application/octet-stream"},
        {"ce-specversion": "1.0", "ce-type": "x", "ce-id": "\\", "ce-source": "é"},
        {"origin": "http://x", "access-control-request-method": "POST"},
        {"x-forwarded-prefix": "/a/../b"},
        {"authorization": "Bearer x"},
        {"expect": "100-continue"},
    ]
)


@dataclass(frozen=True)
class HttpRequest:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@st.composite
def requests(draw: st.DrawFn, declared: Declaration, path: Path, method: str) -> HttpRequest:
    """A request for a declared path."""
    content_type, body, headers = ("", b"", {})
    if path.bodies and method == "POST":
        content_type, body, headers = draw(_bodies(declared, draw(st.sampled_from(path.bodies))))
    if draw(st.integers(0, 9)) == 0:
        content_type = draw(st.sampled_from(CONTENT_TYPES))
    headers = {**headers, **({"content-type": content_type.replace("*", "png")} if content_type else {})}
    if draw(st.integers(0, 4)) == 0:
        headers |= {name: value.encode("utf-8").decode("latin-1") for name, value in draw(_HEADERS).items()}
    if draw(st.integers(0, 9)) == 0 and body:
        body, headers["content-encoding"] = gzip.compress(body, mtime=0), "gzip"
    return HttpRequest(method, _path(draw, path) + _query(draw, path), headers, body)


def _path(draw: st.DrawFn, path: Path) -> str:
    url = path.path
    for name in re.findall(r"{(\w+)}", url):
        right = draw(st.integers(0, 9)) > 0
        url = url.replace(f"{{{name}}}", PARTS[name] if right else quote(draw(st.sampled_from(_OTHERS))))
    return url


def _query(draw: st.DrawFn, path: Path) -> str:
    asked: dict[str, Any] = {}
    if path.query and draw(st.booleans()):
        chosen = draw(st.lists(st.sampled_from(sorted(path.query)), max_size=3, unique=True))
        asked = {name: draw(from_schema(path.query[name])) for name in chosen}
    if draw(st.integers(0, 9)) == 0:
        asked[draw(st.sampled_from(["model_version", "text_det_thresh", "é", ""]))] = draw(st.text(max_size=10))
    return f"?{urlencode(asked)}" if asked else ""


def _bodies(declared: Declaration, body: Body) -> st.SearchStrategy[tuple[str, bytes, dict[str, str]]]:
    """Content type, body, and the headers that belong to it."""
    if body.content_type == "application/json":
        return _json(declared, body).map(lambda text: (body.content_type, text, {}))
    if body.content_type == "multipart/form-data":
        return _form(body).map(lambda form: (f"{body.content_type}; boundary=x", form, {}))
    if "binary_tensor_data" in declared.extensions:
        return _tensors().map(lambda given: (body.content_type, given[2:], {LENGTH_HEADER: _length(given)}))
    return _nearly(IMAGES).map(lambda file: (body.content_type, file, {}))


def _length(given: bytes) -> str:
    return str(int.from_bytes(given[:2], "little"))


@st.composite
def _json(draw: st.DrawFn, declared: Declaration, body: Body) -> bytes:
    right = [body.example] if body.example is not None else []
    right += [seeds.full(declared.name)] if declared.name in seeds.FULL else []
    message = draw(st.sampled_from(right) | from_schema(body.schema) if right else from_schema(body.schema))
    kind = draw(st.sampled_from(["as it is", "a place changed", "a place changed", "bytes changed"]))
    if kind == "a place changed":
        message = changed(message, draw(_DICE))
    text = json.dumps(message, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    return changed_bytes(text, draw(_DICE)) if kind == "bytes changed" else text


@st.composite
def _form(draw: st.DrawFn, body: Body) -> bytes:
    parts = []
    for name, value in draw(from_schema(body.schema)).items():
        data = value if isinstance(value, bytes) else str(value).encode()
        filename = b'; filename="a.png"' if isinstance(value, bytes) else b""
        parts.append(b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n' % (name.encode(), filename) + data)
    form = b"\r\n".join([*parts, b"--x--\r\n"])
    return form if draw(st.booleans()) else changed_bytes(form, draw(_DICE))


def _tensors() -> st.SearchStrategy[bytes]:
    return _nearly(st.sampled_from(seeds.binary_tensors()))


@st.composite
def _nearly(draw: st.DrawFn, right: st.SearchStrategy[bytes]) -> bytes:
    data = draw(right)
    return data if draw(st.booleans()) else changed_bytes(data, draw(_DICE))
