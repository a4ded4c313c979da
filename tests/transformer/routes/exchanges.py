"""Requests as the server hands them to an adapter, and pages as the reader gives them back."""

from __future__ import annotations

import json
from typing import Any

from ppocr.call import Call
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Line, Page, Word

SQUARE = ((0.0, 0.0), (10.5, 0.0), (10.5, 4.0), (0.0, 4.0))
WORD = Word("good", 0.75, SQUARE)
PLAIN = Page((Line("good", 0.9987, SQUARE), Line("day", 0.5, SQUARE)), 20, 10, "small/1")
EMPTY = Page((), 30, 40, "small/1")
WORDS = Page((Line("good", 0.9987, SQUARE, words=(WORD, WORD)),), 20, 10, "small/1")
TURNED = Page((Line("good", 0.9987, SQUARE, angle=180),), 20, 10, "small/1", angle=90)

#: Valid requests that have every member that the format knows.
FULL: dict[str, Any] = {
    "v1": {
        "instances": [{"image": {"b64": "YQ=="}}, {"b64": "YQ=="}],
        "parameters": {"text_det_thresh": 0.5, "text_det_limit_side_len": 64, "return_word_box": True},
    },
    "v2": {
        "id": "7",
        "parameters": {"binary_data_output": False, "text_det_limit_type": "max", "return_word_box": False},
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": ["YQ=="], "parameters": {}}],
        "outputs": [{"name": "text", "parameters": {"binary_data": False}}],
    },
    "pdserving": {
        "key": ["image", "pipeline.profile"],
        "value": ["YQ==", "1"],
        "tensors": [
            {"name": "image", "elem_type": 12, "strData": ["YQ=="]},
            {"name": "x", "elem_type": 7, "uint32_data": [1, 2], "shape": [2, 1], "lod": [0]},
        ],
        "name": "ocr",
        "method": "prediction",
        "logid": 7,
        "clientip": "127.0.0.1",
    },
    "web_service": {"feed": [{"image": "YQ=="}], "fetch": ["res"]},
    "hubserving": {"images": ["YQ==", "YQ=="], "paths": []},
    "paddlex": {
        "file": "YQ==",
        "fileType": 1,
        "useDocOrientationClassify": False,
        "useDocUnwarping": False,
        "useTextlineOrientation": False,
        "textDetLimitSideLen": 64,
        "textDetLimitType": "max",
        "textDetThresh": 0.5,
        "textDetBoxThresh": 0.5,
        "textDetUnclipRatio": 1.5,
        "textRecScoreThresh": 0.5,
        "returnWordBox": True,
        "visualize": True,
        "logId": "7",
    },
    "nim": {
        "input": [
            {"type": "image_url", "url": "data:image/png;base64,YQ=="},
            {"type": "image_url", "url": "data:image/jpeg;base64,YQ=="},
        ],
        "merge_levels": ["word", "paragraph"],
    },
}
#: Parts of a path beside the model's name, where a format has them.
PATH = {"model_name": "ppocr", "module": "ocr_system"}


def posted(message: Any, content_type: str = "application/json", **path: str) -> WireRequest:
    """A POST of `message`, as JSON unless it is bytes."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return WireRequest(Call(), body, {"content-type": content_type}, {}, {**PATH, **path})


def body_of(answer: WireAnswer) -> Any:
    """The JSON of a successful answer."""
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    return json.loads(answer.body)
