"""Requests that are right but for one thing, and what a refusal must look like."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx

from ppocr import oip

V1 = "/v1/models/ppocr:predict"
V2 = "/v2/models/ppocr/infer"
JSON = {"content-type": "application/json"}
B64 = base64.b64encode(b"not an image").decode()
INSIDE = re.compile(r"Traceback|File \"|site-packages|\.py\b|/work|/home|/root|0x[0-9a-f]{6,}|Error:|Exception")


def refused(answer: httpx.Response, *codes: int) -> str:
    assert answer.status_code in (codes or (400,)), f"{answer.status_code}: {answer.text[:300]}"
    sentence: str = answer.json()["error"]
    assert len(sentence) > 10
    assert not INSIDE.search(sentence), sentence
    return sentence


def v1(image: Any) -> bytes:
    return json.dumps({"instances": [{"image": image}]}).encode()


def v2(data: Any, **more: Any) -> bytes:
    tensor = {"name": "image", "shape": [1], "datatype": "BYTES", "data": data, **more}
    return json.dumps({"inputs": [tensor]}).encode()


def grpc_request(**tensor: Any) -> Any:
    raw = tensor.pop("raw", None)
    request = oip.ModelInferRequest(model_name=tensor.pop("model", "ppocr"))
    request.inputs.add(**{"name": "image", "datatype": "BYTES", "shape": [1], **tensor})
    if raw is not None:
        request.raw_input_contents.append(raw)
    return request


def dot() -> bytes:
    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
