"""Inputs that are right, for fuzzers to begin with: made from the formats' own examples, not written down a second time."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ppocr import oip
from ppocr.facts_json import facts_to_json
from ppocr.serving.declaration import Path
from ppocr.serving.tensors import request_to_grpc
from ppocr_grpc.methods import GrpcMethod
from predictor.manifest import CHARACTERS, FORMER_FORMAT, Manifest, file_record
from tests.predictor.facts import CLS, DET, REC, bundle
from tests.transformer.images import mutate
from tests.transformer.images.mutate import with_checksums
from tests.transformer.routes.exchanges import FULL
from transformer.routes import pdserving_messages_pb2 as pipeline

__all__ = ["FULL", "with_checksums"]

FORMATS_OF_IMAGES = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF", "HEIF")


def images() -> list[bytes]:
    """Small files of every format and kind."""
    return [file for name in FORMATS_OF_IMAGES for file in mutate.seeds(name)]


def dot() -> bytes:
    """A PNG of one pixel."""
    return mutate.files.save(mutate.Image.new("L", (1, 1), 255), "PNG")


def full(name: str) -> Any:
    """The request of a format that has every member, with an image that is one."""
    text = json.dumps(FULL[name]).replace("YQ==", base64.b64encode(dot()).decode())
    return json.loads(text)


def json_bodies(paths: Sequence[tuple[Any, Path]]) -> list[bytes]:
    """Each format's example and its fullest request, behind the byte that chooses its path."""
    found = []
    for index, (adapter, path) in enumerate(paths):
        examples = [body.example for body in path.bodies if body.example is not None]
        messages = [*examples, *([full(adapter.declaration.name)] if adapter.declaration.name in FULL else [])]
        found += [bytes([index]) + json.dumps(message, separators=(",", ":")).encode() for message in messages]
    return found


def json_words() -> list[str]:
    """The members and texts of these requests."""
    return sorted({word for name in FULL for word in _words(FULL[name])} | {"Infinity", "NaN", "\\ud800", "1e999"})


def _words(message: Any) -> list[str]:
    if isinstance(message, dict):
        return [*message, *(word for value in message.values() for word in _words(value))]
    if isinstance(message, list):
        return [word for value in message for word in _words(value)]
    return [message] if isinstance(message, str) else []


def forms() -> list[bytes]:
    """A file with a parameter, one as base64, and one without a file's name."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    field = b'\r\n--x\r\nContent-Disposition: form-data; name="return_word_box"\r\n\r\ntrue'
    coded = b'--x\r\nContent-Disposition: form-data; name="file"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return [
        head + dot() + field + b"\r\n--x--\r\n",
        coded + base64.b64encode(dot()) + b"\r\n--x--\r\n",
        b"--x--\r\n",
    ]


def form_words() -> list[str]:
    return [
        "\r\n--x",
        "--x--",
        "Content-Disposition",
        "form-data; name=",
        "filename*=utf-8''",
        "Content-Transfer-Encoding",
        "text_det_thresh",
    ]


def binary_tensors() -> list[bytes]:
    """An image as a file, and as pixels."""
    file = len(dot()).to_bytes(4, "little") + dot()
    tensors = [
        {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(file)}},
        {"name": "image", "datatype": "UINT8", "shape": [1, 1, 1, 3], "parameters": {"binary_data_size": 3}},
    ]
    found = []
    for tensor, tail in zip(tensors, (file, b"\xff\xff\xff"), strict=True):
        head = json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()
        found.append(len(head).to_bytes(2, "little") + head + tail)
    return found


def grpc_messages(methods: Sequence[tuple[Any, GrpcMethod]]) -> list[bytes]:
    """Behind the byte that chooses the method."""
    return [
        bytes([index]) + message.SerializeToString()
        for index, (_, method) in enumerate(methods)
        for message in messages(method)
    ]


def messages(method: GrpcMethod) -> list[Any]:
    """Requests of a method that are right."""
    image = base64.b64encode(dot()).decode()
    if method.request is pipeline.Request:
        request = pipeline.Request(key=["image"], value=[image], logid=7, name="ocr")
        request.tensors.add(name="image", elem_type=12, str_data=[image], shape=[1])
        return [request]
    if method.request is oip.ModelInferRequest:
        typed = oip.ModelInferRequest(model_name="ppocr")
        typed.inputs.add(name="image", datatype="BYTES", shape=[1], contents={"bytes_contents": [dot()]})
        typed.parameters["text_det_thresh"].string_param = "0.5"
        file = np.empty(1, object)
        file[0] = dot()
        raw = [request_to_grpc("ppocr", {"image": each}) for each in (file, np.zeros((1, 1, 1, 3), np.uint8))]
        return [typed, *raw]
    named = {field.name for field in method.request.DESCRIPTOR.fields} & {"name", "model_name"}
    return [method.request(), *(method.request(**{name: "ppocr"}) for name in named)]


def manifests() -> list[bytes]:
    """Of both formats, and the facts of a model, which have the same fields."""
    files = {name: file_record(b"a") for name in ("det.onnx", "rec.onnx", CHARACTERS)}
    manifest = Manifest("small", "1", "Apache-2.0", "a test", (DET, REC, CLS), {"rec": CHARACTERS}, files)
    facts = facts_to_json(bundle(networks=(DET, REC, CLS)))
    former = {**json.loads(manifest.to_json()), **json.loads(facts), "format": FORMER_FORMAT}
    del former["networks"]
    return [json.dumps(each, separators=(",", ":")).encode() for each in (json.loads(manifest.to_json()), former)] + [
        facts.encode()
    ]


def manifest_words() -> list[str]:
    return [*sorted({word for each in manifests() for word in _words(json.loads(each)) if len(word) > 1}), "Infinity"]
