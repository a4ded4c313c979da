"""Converts a page of the pipeline to a page of the document model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ppocr_api.document import Line, Page, Points, Word
from ppocr_api.errors import PayloadTooLarge
from transformer.algorithms.words import Word as FoundWord
from transformer.algorithms.words import words as find_words
from transformer.pipeline.page import PageInWork

if TYPE_CHECKING:
    from ppocr.contract import F32

#: Words of all images of a request. Each takes 700 bytes until the answer is written, and 110 in it; a page has 80,000 at most.
MAX_WORDS = 200_000


def page_of(work: PageInWork) -> Page:
    """The page of one image, its lines in reading order, with points of the image as it was sent.

    Empty lines and lines under the request's score threshold are left out. If no recognition was requested, there is a line
    for each box, with an empty text, and the probability of its angle as confidence (0 without angles).
    """
    if not work.readings:
        return _page(work, _unread(work))
    quads = outlines(work)
    words = _words(work) if work.parameters.return_word_box and len(work.boxes) else None
    threshold = work.parameters.text_rec_score_thresh or 0.0
    angles = [0] * len(quads) if work.line_angles is None else work.line_angles.tolist()
    order = [] if work.order is None else work.order.tolist()
    lines = tuple(
        Line(
            text=reading.text,
            confidence=round(reading.confidence, 4),
            points=quads[index],
            angle=angles[index],
            words=None if words is None else words[index],
        )
        for index in order
        if (reading := work.readings[index]).text and reading.confidence >= threshold
    )
    return _page(work, lines)


def _words(work: PageInWork) -> list[tuple[Word, ...]]:
    """The words of each box, in the image as it was sent. Raises PayloadTooLarge for more than a request's pages may have."""
    found = find_words(work.readings, work.boxes)
    work.call.words += sum(map(len, found))
    if work.call.words > MAX_WORDS:
        raise PayloadTooLarge(
            f"the images of the request have more than {MAX_WORDS:,} words: send fewer in a request, or without return_word_box"
        )
    return [
        tuple(
            Word(word.text, round(word.confidence, 4), points)
            for word, points in zip(line, _places(line, index, work), strict=True)
        )
        for index, line in enumerate(found)
    ]


def _places(words: Sequence[FoundWord], box: int, work: PageInWork) -> list[Points]:
    """Those of a straight line together, which takes a fifth of the time."""
    if not words or work.ribbon_of(box) is not None:
        return [_polygon(word.points, box, work) for word in words]
    return _points(_in_image_as_sent(np.array([word.points for word in words], np.float32), work))


def outlines(work: PageInWork) -> list[Points]:
    """Of all boxes, in their order, in the image as it was sent: quadrilaterals, and polygons of curved lines."""
    quads = _points(_in_image_as_sent(work.boxes, work))
    for index in range(len(quads) - len(work.ribbons), len(quads)):
        quads[index] = _polygon(work.boxes[index], index, work)
    return quads


def _unread(work: PageInWork) -> tuple[Line, ...]:
    quads = outlines(work)
    nothing = [0.0] * len(quads)
    probabilities = nothing if work.line_angle_probabilities is None else work.line_angle_probabilities.tolist()
    angles = nothing if work.line_angles is None else work.line_angles.tolist()
    order = [] if work.order is None else work.order.tolist()
    return tuple(Line("", round(probabilities[index], 4), quads[index], angles[index]) for index in order)


def _page(work: PageInWork, lines: tuple[Line, ...]) -> Page:
    height, width = work.size
    return Page(
        lines,
        width=width,
        height=height,
        model=work.facts.label,
        angle=work.angle,
        warnings=tuple(work.warnings),
    )


def _polygon(quad: F32, box: int, work: PageInWork) -> Points:
    """A quadrilateral of a line's box on the page; a polygon if the line is curved: the box is that of its straight ribbon."""
    ribbon = work.ribbon_of(box)
    if ribbon is None:
        return _points(_in_image_as_sent(quad[None], work))[0]
    top = work.boxes[box, :, 1].min()
    return _points(_in_image_as_sent(ribbon.outline(quad - (0, top))[None], work))[0]


def _in_image_as_sent(points: F32, work: PageInWork) -> F32:
    """Points F32 [N,K,2] of the upright page as points of the image as it was sent: without the margin that was added, and
    turned by `work.angle`."""
    height, width = work.size
    if work.margin or work.ribbons:
        upright = (height, width) if work.angle % 180 == 0 else (width, height)
        points = np.clip(points - np.float32(work.margin), 0, (upright[1] - 1, upright[0] - 1))
    if not work.angle:
        return points
    x, y = points[..., 0], points[..., 1]
    turned = {90: (width - 1 - y, x), 180: (width - 1 - x, height - 1 - y), 270: (y, height - 1 - x)}[work.angle]
    return np.stack(turned, axis=-1)


def _points(quads: F32) -> list[Points]:
    """As plain numbers with one digit; rounded as FP64, since no FP32 prints as 113.2."""
    return [tuple(map(tuple, quad)) for quad in quads.astype(np.float64).round(1).tolist()]
