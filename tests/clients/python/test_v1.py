"""From V1's JSON to a page."""

from __future__ import annotations

from typing import Any

import pytest

from ppocr_api.document import Line, Page, Word
from ppocr_api.errors import PpocrError
from ppocr_client.v1 import page_of

RAW = [[0, 0], [4, 0], [4, 2], [0, 2]]
BOX = ((0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (0.0, 2.0))
LINE = {"text": "hello", "confidence": 0.5, "points": RAW}
PAGE: dict[str, Any] = {"lines": [LINE], "width": 10, "height": 5, "model": "m/1"}


def test_a_page() -> None:
    assert page_of(PAGE) == Page((Line("hello", 0.5, BOX),), 10, 5, "m/1")


def test_angles_and_words_where_they_are_there() -> None:
    line = LINE | {"angle": 180, "words": [{"text": "hello", "confidence": 0.25, "points": RAW}]}
    page = page_of(PAGE | {"angle": 90, "lines": [line, LINE | {"words": []}]})
    assert page.angle == 90
    assert page.lines[0] == Line("hello", 0.5, BOX, 180.0, (Word("hello", 0.25, BOX),))
    assert page.lines[1].words == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"lines": None},
        {"lines": [3]},
        {"lines": [LINE | {"points": [[1]]}]},
        {"lines": [LINE | {"words": 1}]},
        {"width": "wide"},
        {"width": float("inf")},
        {"angle": []},
    ],
)
def test_what_is_no_page(changed: dict[str, Any]) -> None:
    with pytest.raises(PpocrError):
        page_of(PAGE | changed)
