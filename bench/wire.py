"""The wire formats that the benchmark speaks: how a page is asked for, and which lines an answer holds."""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".bmp": "image/bmp"}
V1_PATH = "/v1/models/ppocr:predict"
JSON = "application/json"


@dataclass(frozen=True)
class WireFormat:
    """`message` makes the JSON of a base64 text; without it the file is the body. `texts` are the lines of an answer.

    `texts` raises RuntimeError for an answer that says that the page wasn't read.
    """

    name: str
    path: str
    texts: Callable[[Any], list[str]]
    message: Callable[[str], Any] | None = None

    def body(self, image: bytes) -> bytes:
        if self.message is None:
            return image
        return json.dumps(self.message(base64.b64encode(image).decode("ascii"))).encode("ascii")

    def content_type(self, image: Path) -> str:
        return JSON if self.message else TYPES.get(image.suffix.lower(), "application/octet-stream")


def _v1_texts(answer: Any) -> list[str]:
    return [line["text"] for prediction in answer["predictions"] for line in prediction["lines"]]


def _v2_texts(answer: Any) -> list[str]:
    return list(next(output["data"] for output in answer["outputs"] if output["name"] == "text"))


def _pipeline_texts(answer: Any) -> list[str]:
    """`value` is Python's text of [((text, score), box), …], where the score of a line without text may be nan."""
    if answer["err_no"]:
        raise RuntimeError(f"err_no {answer['err_no']}: {answer['err_msg'][:200]}")
    value = re.sub(r"\((''|\"\")?,? ?nan\)", "('', 0.0)", answer["value"][0])
    return [text for (text, _), _ in ast.literal_eval(value)]


def _hub_texts(answer: Any) -> list[str]:
    if answer["status"] != "000":
        raise RuntimeError(f"status {answer['status']}: {answer['msg'][:200]}")
    return [line["text"] for line in answer["results"][0]]


def _paddlex_texts(answer: Any) -> list[str]:
    return list(answer["result"]["ocrResults"][0]["prunedResult"]["rec_texts"])


def _web_service_texts(answer: Any) -> list[str]:
    return [line for line in answer["result"]["res"] if isinstance(line, str)]


def _nim_texts(answer: Any) -> list[str]:
    return [found["text_prediction"]["text"] for page in answer["data"] for found in page["text_detections"]]


RAW = WireFormat("the file as the body", V1_PATH, _v1_texts)
V1 = WireFormat("V1, JSON", V1_PATH, _v1_texts, lambda b64: {"instances": [{"image": {"b64": b64}}]})
V2 = WireFormat(
    "V2, JSON",
    "/v2/models/ppocr/infer",
    _v2_texts,
    lambda b64: {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [b64]}]},
)
PIPELINE = WireFormat(
    "PaddleServing's pipeline", "/ocr/prediction", _pipeline_texts, lambda b64: {"key": ["image"], "value": [b64]}
)
WEB_SERVICE = WireFormat(
    "PaddleServing's web service",
    "/ocr/prediction",
    _web_service_texts,
    lambda b64: {"feed": [{"image": b64}], "fetch": ["res"]},
)
HUB = WireFormat("PaddleHub", "/predict/ocr_system", _hub_texts, lambda b64: {"images": [b64]})
PADDLEX = WireFormat("PaddleX", "/ocr", _paddlex_texts, lambda b64: {"file": b64, "fileType": 1, "visualize": False})
NIM = WireFormat(
    "NIM",
    "/v1/infer",
    _nim_texts,
    lambda b64: {
        "input": [{"type": "image_url", "url": f"data:image/jpeg;base64,{b64}"}],
        "merge_levels": ["sentence"],
    },
)
ALL = (V1, RAW, V2, PIPELINE, WEB_SERVICE, HUB, PADDLEX, NIM)
