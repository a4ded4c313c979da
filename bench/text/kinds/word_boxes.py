"""Where the words of a line are: level, and on turned pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from bench.text import draw, fonts, vocabulary
from bench.text.case import Case, Kind, Line


def _pages(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        face = draw.Type(random.choice(fonts.LATIN), random.choice((20, 26, 34)))
        margin, step = 40, face.size * 2
        lines = [vocabulary.sentence(random, 44) for _ in range(6)]
        image, boxes = draw.page(lines, face, margin=margin, leading=2.0), []
        for row, line in enumerate(lines):
            start = 0
            for word in line.split():
                left = margin + face.length(line[:start])
                x0, y0, x1, y1 = face.box(word)
                boxes.append((left + x0, margin + row * step + y0, left + x1, margin + row * step + y1))
                start += len(word) + 1
        cases.append(
            Case(f"words_{index}_{face.font}", draw.png(image), tuple(lines), {"return_word_box": "true"}, tuple(boxes))
        )
    return cases


def miss(case: Case, lines: Sequence[Line]) -> float:
    """1 - the mean overlap (intersection over union) along the line of the words that were read right with their own places."""
    words = [word for line in case.expected for word in line.split()]
    found = [(word["text"], _bounds(word["points"])) for line in lines for word in line["words"]]
    overlaps = [
        max((_overlap(box, at) for text, at in found if text == word), default=0.0)
        for word, box in zip(words, case.boxes, strict=True)
    ]
    read = [overlap for overlap in overlaps if overlap > 0]
    return 1 - sum(read) / max(len(read), 1) if len(read) * 2 > len(words) else math.inf


def _bounds(points: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return min(xs), min(ys), max(xs), max(ys)


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Along x, of boxes of one row; the height is that of the line, which says nothing of the words."""
    if min(one[3], other[3]) <= max(one[1], other[1]):
        return 0.0
    shared = min(one[2], other[2]) - max(one[0], other[0])
    return max(shared, 0) / (max(one[2], other[2]) - min(one[0], other[0]))


KINDS = (Kind("places of words", _pages, bar=0.11, unit="1 - IoU", of_words=miss),)
