"""From what CTC read, and where, to the page that is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ppocr.contract import BundleFacts
from transformer.ctc import Reading
from transformer.parameters import Parameters
from transformer.result import Line, Page, Word, model_name
from transformer.words import words as find_words

if TYPE_CHECKING:
    from ppocr.contract import F32


def _quads(points: F32) -> list[Any]:
    """As plain numbers with one digit; rounded as FP64, since FP32 has no 113.2 that prints like it."""
    quads: list[Any] = points.astype(np.float64).round(1).tolist()
    return quads


def page_of(
    readings: Sequence[Reading], boxes: F32, size: tuple[int, int], facts: BundleFacts, parameters: Parameters
) -> Page:
    """The page of one image: `readings[i]` belongs to `boxes[i]` F32 [N,4,2]; `size` is (height, width).

    Lines without a character are left out, and so are those under the request's score threshold.
    """
    quads = _quads(boxes)
    words = find_words(readings, boxes) if parameters.return_word_box and len(boxes) else None
    threshold = parameters.text_rec_score_thresh or 0.0
    lines = tuple(
        Line(
            text=reading.text,
            confidence=round(reading.confidence, 4),
            points=quads[index],
            words=None
            if words is None
            else tuple(Word(word.text, round(word.confidence, 4), _quads(word.points)) for word in words[index]),
        )
        for index, reading in enumerate(readings)
        if reading.text and reading.confidence >= threshold
    )
    return Page(lines, width=size[1], height=size[0], model=model_name(facts))
