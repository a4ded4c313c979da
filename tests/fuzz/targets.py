"""What the coverage-guided fuzzer calls: each target takes any bytes, and may raise nothing.

A target parses untrusted bytes with the code of the service. It allows the errors that a caller may be told:
an error of the tree whose status is 4xx, in a sentence that shows nothing of the inside. Anything else is a finding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from ppocr.call import Call
from ppocr.facts_json import facts_from_json
from ppocr.serving.declaration import Path
from ppocr.serving.tensor_format import TensorFormat
from ppocr.serving.v2_rest import LENGTH_HEADER
from ppocr.serving.wire import WireRequest
from ppocr_api.errors import BundleError, PpocrError, RequestError
from ppocr_grpc.methods import GrpcMethod, parsed
from predictor.manifest import Manifest
from tests.fuzz import seeds
from transformer.images import ImageLimits, inspect, pixels
from transformer.pixel_file import PixelFile
from transformer.routes import FORMATS
from transformer.routes.adapter import Adapter

LIMITS = ImageLimits(max_pixels=1_000_000)
#: What no answer may show.
INSIDE = re.compile(
    r"Traceback|File \"|site-packages|\.py\b|/home|/root|/usr|0x[0-9a-f]{6,}|Error\b|Exception|object at"
)
#: Longest sentence of an error, in characters.
LONGEST = 600

_BY_NAME = {each.declaration.name: each for each in FORMATS}
#: A format and a path of it that takes JSON; the input's first byte chooses one.
JSON_PATHS: Sequence[tuple[Adapter, Path]] = [
    (each, path)
    for each in FORMATS
    for path in each.declaration.paths
    if any(body.content_type == "application/json" for body in path.bodies)
]
#: A format and a gRPC method of it; the first byte chooses one.
METHODS: Sequence[tuple[Adapter | TensorFormat, GrpcMethod]] = [
    (each, method) for each in (*FORMATS, TensorFormat()) for method in each.declaration.grpc
]
PARTS = {"model_name": "ppocr", "model_version": "1", "module": "ocr_system", "name": "ocr", "method": "prediction"}


class Finding(Exception):
    """What must not happen did."""


@dataclass(frozen=True)
class Target:
    """`one` reads an input. `seeds` are inputs that are right, to begin with; `words` are what the format's texts are made of.

    `head` is how many bytes stand before the JSON that an input is, None where it is none.
    """

    one: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    words: Sequence[str] = ()
    head: int | None = None


def allowed(error: PpocrError, given: bytes) -> None:
    """An error that a caller may be told."""
    if not isinstance(error, RequestError) or not 400 <= error.http < 500:
        raise Finding(f"{type(error).__name__} is {int(error.http)}: {error}") from error
    sentence = error.message
    if len(sentence) < 10 or len(sentence) > LONGEST:
        raise Finding(f"the sentence has {len(sentence)} characters: {sentence!r}") from error
    for found in INSIDE.findall(sentence):
        if found.encode() not in given:
            raise Finding(f"the sentence shows {found!r}: {sentence!r}") from error


def read_image(data: bytes) -> None:
    """A file becomes pixels, or is refused. A PNG is read once more with right checksums, so that its chunks are looked at."""
    for each in {data, seeds.with_checksums(data) if data.startswith(b"\x89PNG\r\n\x1a\n") else data}:
        try:
            image = pixels(inspect(each, LIMITS))
        except RequestError as error:
            allowed(error, each)
            continue
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype.name != "uint8":
            raise Finding(f"the image became {image.dtype} {image.shape}")


def read_json(data: bytes) -> None:
    """A body for a format that takes JSON, and the files that it names."""
    adapter, path = JSON_PATHS[data[0] % len(JSON_PATHS)] if data else JSON_PATHS[0]
    read(adapter, request_for(path, data[1:], {"content-type": "application/json"}))


def read_form(data: bytes) -> None:
    """A form under the boundary `x`."""
    headers = {"content-type": "multipart/form-data; boundary=x"}
    adapter = _BY_NAME["multipart"]
    read(adapter, request_for(adapter.declaration.paths[0], data, headers))


def read_binary(data: bytes) -> None:
    """V2's binary extension: two bytes say how long the JSON in front of the tensors is."""
    headers = {"content-type": "application/octet-stream", LENGTH_HEADER: str(int.from_bytes(data[:2], "little"))}
    adapter = _BY_NAME["v2"]
    read(adapter, request_for(adapter.declaration.paths[0], data[2:], headers))


def read_message(data: bytes) -> None:
    """A message over gRPC, as the server reads it."""
    wire_format, method = METHODS[data[0] % len(METHODS)] if data else METHODS[0]
    try:
        message = parsed(method, data[1:])
    except RequestError as error:
        return allowed(error, data)
    if isinstance(wire_format, Adapter):
        return read(wire_format, WireRequest(Call(), headers={}, message=message), data)
    with suppress(DecodeError):
        message.SerializeToString()
    return None


def read_manifest(data: bytes) -> None:
    """A bundle's manifest.json, and the facts of a model, which have the same fields."""
    text = data.decode("utf-8", "replace")
    for reads in (Manifest.from_json, facts_from_json):
        try:
            known: Any = reads(text)
        except BundleError as error:
            if not str(error):
                raise Finding("a bundle is refused without a sentence") from error
            continue
        if isinstance(known, Manifest) and Manifest.from_json(known.to_json()).to_json() != known.to_json():
            raise Finding("the manifest is another one once it is written and read")


def request_for(path: Path, body: bytes, headers: dict[str, str]) -> WireRequest:
    """A POST of `body` to `path`."""
    call = Call(route=path.path)
    return WireRequest(call, body, headers, {}, {name: PARTS[name] for name in re.findall(r"{(\w+)}", path.path)})


def read(adapter: Adapter, request: WireRequest, given: bytes | None = None) -> None:
    """Parses a request and looks at its files as the service does; what is refused is rendered in the format's own form."""
    given = request.body if given is None else given
    try:
        for file in adapter.parse(request).files:
            if not isinstance(file, PixelFile):
                file.inspect(LIMITS)
    except RequestError as error:
        allowed(error, given)
        answer = adapter.render_error(request, error)
        if not 200 <= answer.status < 500:
            raise Finding(f"{error} became a {answer.status}") from error
        if answer.headers.get("content-type", "").startswith("application/json") and answer.body:
            json.loads(answer.body)


TARGETS = {
    "images": Target(read_image, seeds.images),
    "json": Target(read_json, lambda: seeds.json_bodies(JSON_PATHS), seeds.json_words(), head=1),
    "form": Target(read_form, seeds.forms, seeds.form_words()),
    "binary": Target(read_binary, seeds.binary_tensors, seeds.json_words()),
    "messages": Target(read_message, lambda: seeds.grpc_messages(METHODS)),
    "manifest": Target(read_manifest, seeds.manifests, seeds.manifest_words(), head=0),
}
