"""NVIDIA's OCR NIM: `POST /v1/infer` and `/v1/ocr` with images as `data:` URLs, and `merge_levels`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.json_body import members, parse_json
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Line, Page, Points
from ppocr_api.errors import InvalidRequest, PpocrError
from transformer.algorithms.paragraphs import around, paragraphs
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.routes import schemas
from transformer.routes.adapter import Adapter, ReadRequest, read_pages
from transformer.urls.url_file import UrlFile, is_url

_Text = tuple[str, float, Points]

#: The default of NVIDIA's service.
_DEFAULT = "paragraph"
_MEGABYTE = 1024 * 1024


def _words(page: Page) -> list[_Text]:
    words = [word for line in page.lines for word in line.words or ()]
    return [(word.text, word.confidence, word.points) for word in words]


def _lines(page: Page) -> list[_Text]:
    return [(line.text, line.confidence, line.points) for line in page.lines]


def _paragraphs(page: Page) -> list[_Text]:
    return [(_joined(lines), _mean(lines), around(lines)) for lines in paragraphs(page.lines)]


def _joined(lines: Sequence[Line]) -> str:
    return "\n".join(line.text for line in lines)


def _mean(lines: Sequence[Line]) -> float:
    """The mean confidence of all characters."""
    characters = sum(len(line.text) for line in lines)
    return round(sum(line.confidence * len(line.text) for line in lines) / characters, 4)


#: Merge level → the texts of a page. A line of the page is NVIDIA's sentence.
_LEVELS: Final[Mapping[str, Callable[[Page], list[_Text]]]] = {
    "word": _words,
    "sentence": _lines,
    "paragraph": _paragraphs,
}

_REQUEST: Final = {
    "type": "object",
    "properties": {
        "input": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": ["image_url"]},
                    "url": {"type": "string", "description": "data:image/png;base64,…"},
                },
                "required": ["type", "url"],
            },
        },
        "merge_levels": {"type": "array", "items": {"type": "string", "enum": list(_LEVELS)}},
    },
    "required": ["input"],
}
_ANSWER: Final = {
    "type": "object",
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"index": {"type": "integer"}, "text_detections": {"type": "array"}},
            },
        },
        "usage": {"type": "object"},
    },
    "required": ["data"],
}
_POINT: Final = {"x": 0.1935, "y": 0.0277}
_EXAMPLE: Final = {
    "data": [
        {
            "index": 0,
            "text_detections": [
                {
                    "text_prediction": {"text": "TAX INVOICE", "confidence": 0.9981},
                    "bounding_box": {"points": [_POINT, _POINT, _POINT, _POINT], "type": "quadrilateral"},
                }
            ],
        }
    ],
    "usage": {"images_size_mb": 0.1},
}


#: Finds the file's base64 in the message.
_LINE: Final = (
    """(printf '{"input": [{"type": "image_url", "url": "data:image/jpeg;base64,'; base64 < image.jpg; printf '"}]}') | """
    "tr -d '\\n' | curl --data-binary @-"
)


def _path(path: str, of: str) -> Path:
    example = {
        "input": [{"type": "image_url", "url": f"data:image/png;base64,{schemas.EXAMPLE_IMAGE}"}],
        "merge_levels": ["sentence"],
    }
    return Path(
        path,
        f"read images, in the format of NVIDIA's OCR NIM {of}",
        ("POST",),
        bodies=(Body("application/json", _REQUEST, example),),
        answers=(Body("application/json", _ANSWER, _EXAMPLE),),
        line=f"{_LINE} {{url}}{path}",
    )


_DECLARATION = Declaration(
    "nim",
    "NVIDIA's NIM for image OCR, as nv-ingest and NeMo Retriever call it. Images come as `data:` URLs; other URLs are "
    "fetched only from the hosts in `url_hosts`. "
    "`merge_levels` has one entry for all images or one per image: `word`, `sentence` (a line) or `paragraph`, which is the "
    "default. Points are fractions of the image's width and height. If an image can't be read, the whole request "
    "fails.",
    paths=(_path("/v1/infer", "1"), _path("/v1/ocr", "2")),
    also_as=("", "text/json", "text/plain", "application/x-www-form-urlencoded"),
)


class Nim(Adapter):
    """JSON in, JSON out."""

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def parse(self, request: WireRequest) -> ReadRequest:
        message = parse_json(request.body, "the body")
        if not isinstance(message, dict) or message.get("input") is None:
            raise InvalidRequest(
                'the body must be {"input": [{"type": "image_url", "url": "data:image/png;base64,…"}]}'
            )
        items = members(message, "input")
        levels = _merge_levels(message.get("merge_levels"), len(items))
        files = [_file(item, index) for index, item in enumerate(items)]
        sent = sum(len(file.data) for file in files) * 3 / 4  # base64 is a third longer
        return ReadRequest(files, Parameters(return_word_box="word" in levels), kept=(levels, sent))

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        levels, sent = asked.kept
        megabytes = (sent + sum(file.size for file in asked.files if isinstance(file, UrlFile))) / _MEGABYTE
        read = zip(levels, read_pages(pages), strict=True)
        data = [  # each written by itself, as in V1's answer
            orjson.Fragment(
                orjson.dumps(
                    {"index": index, "text_detections": [_detection(text, page) for text in _LEVELS[level](page)]}
                )
            )
            for index, (level, page) in enumerate(read)
        ]
        return WireAnswer(orjson.dumps({"data": data, "usage": {"images_size_mb": megabytes}}))


def _merge_levels(asked: Any, images: int) -> list[str]:
    """The merge level of each image."""
    if asked is None:
        return [_DEFAULT] * images
    known = f"a list of {', '.join(_LEVELS)}"
    if not isinstance(asked, list) or not all(isinstance(each, str) and each in _LEVELS for each in asked):
        raise InvalidRequest(f"'merge_levels' must be {known}")
    if len(asked) not in (1, images):
        raise InvalidRequest(
            f"'merge_levels' has {len(asked)} entries for {images} images; it needs one entry, or one per image"
        )
    return asked * images if len(asked) == 1 else asked


def _file(item: dict[str, Any], index: int) -> ImageFile:
    where = f"input {index}"
    url = item.get("url")
    if item.get("type") != "image_url" or not isinstance(url, str):
        raise InvalidRequest(f'{where} must be {{"type": "image_url", "url": "data:image/png;base64,…"}}')
    if is_url(url):
        return UrlFile(url, where)
    head, comma, data = url.partition(",")
    if not head.startswith("data:") or not comma or not head.endswith(";base64"):
        raise InvalidRequest(f"{where}: the url must be data:image/png;base64,…")
    return ImageFile(data, where, base64=True)


def _detection(text: _Text, page: Page) -> dict[str, Any]:
    words, confidence, points = text
    # Corners outside the image are moved inside, because callers crop by them.
    within = [{"x": min(max(x / page.width, 0.0), 1.0), "y": min(max(y / page.height, 0.0), 1.0)} for x, y in points]
    return {
        "text_prediction": {"text": words, "confidence": confidence},
        "bounding_box": {"points": within, "type": "quadrilateral"},
    }
