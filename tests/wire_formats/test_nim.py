"""NVIDIA's OCR NIM on the real service: what its callers read out of an answer is what V1 reads."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.services import Service


def answered(service: Service, path: str, images: list[bytes], **more: Any) -> list[Any]:
    """The detections of each image, as nv-ingest takes them out."""
    urls = [f"data:image/jpeg;base64,{base64.b64encode(image).decode()}" for image in images]
    body = {"input": [{"type": "image_url", "url": url} for url in urls], **more}
    data = httpx.post(service.url + path, json=body, timeout=60).raise_for_status().json()["data"]
    assert [each["index"] for each in data] == list(range(len(images)))
    return [each["text_detections"] for each in data]


def texts(detections: list[Any]) -> list[str]:
    return [each["text_prediction"]["text"] for each in detections]


@pytest.fixture(scope="module")
def page(service: Service, receipt: bytes) -> Any:
    """The receipt by V1, with words."""
    answer = httpx.post(
        f"{service.url}/v1/models/ppocr:predict?return_word_box=true",
        content=receipt,
        headers={"content-type": "image/jpeg"},
        timeout=60,
    )
    return answer.raise_for_status().json()["predictions"][0]


@pytest.mark.parametrize("path", ["/v1/infer", "/v1/ocr"])
def test_sentences_are_lines_with_points_as_parts_of_the_image(
    service: Service, receipt: bytes, page: Any, path: str
) -> None:
    (found,) = answered(service, path, [receipt], merge_levels=["sentence"])
    assert texts(found) == [line["text"] for line in page["lines"]]
    for each, line in zip(found, page["lines"], strict=True):
        for point, (x, y) in zip(each["bounding_box"]["points"], line["points"], strict=True):
            assert point["x"] * page["width"] == pytest.approx(x, abs=1)
            assert point["y"] * page["height"] == pytest.approx(y, abs=1)
        assert each["text_prediction"]["confidence"] == line["confidence"]


def test_each_image_has_its_level(service: Service, receipt: bytes, page: Any) -> None:
    words, lines, paragraphs = answered(
        service, "/v1/infer", [receipt] * 3, merge_levels=["word", "sentence", "paragraph"]
    )
    assert texts(words) == [word["text"] for line in page["lines"] for word in line["words"]]
    assert 1 < len(paragraphs) < len(lines) < len(words)
    assert "\n".join(texts(paragraphs)) == "\n".join(texts(lines))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x.png", "file:///etc/passwd", "data:image/png;base64,*"])
def test_urls_are_not_followed(service: Service, url: str) -> None:
    body = {"input": [{"type": "image_url", "url": url}]}
    answer = httpx.post(f"{service.url}/v1/infer", json=body, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("input 0")
