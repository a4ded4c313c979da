"""Converts V1's JSON to the document model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr_api.document import Line, Page, Points, Word
from ppocr_api.errors import PpocrError


def page_of(prediction: Mapping[str, Any]) -> Page:
    """Reads one element of a V1 answer's `predictions`. Raises PpocrError if it isn't a page.

    `angle` of a page or a line, `words` of a line and `warnings` may be absent.
    """
    try:
        return Page(
            lines=tuple(_line(line) for line in prediction["lines"]),
            width=int(prediction["width"]),
            height=int(prediction["height"]),
            model=str(prediction["model"]),
            angle=int(prediction.get("angle", 0)),
            warnings=tuple(str(warning) for warning in prediction.get("warnings", ())),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise PpocrError(f"the answer is not a page: {type(error).__name__} at {error}") from error


def _line(raw: Mapping[str, Any]) -> Line:
    words = raw.get("words")
    return Line(
        text=raw["text"],
        confidence=float(raw["confidence"]),
        points=_points(raw["points"]),
        angle=float(raw.get("angle", 0.0)),
        words=None if words is None else tuple(_word(word) for word in words),
    )


def _word(raw: Mapping[str, Any]) -> Word:
    return Word(raw["text"], float(raw["confidence"]), _points(raw["points"]))


def _points(raw: Any) -> Points:
    return tuple((float(x), float(y)) for x, y in raw)
