"""A line of hundreds of characters, wider than the network takes."""

from __future__ import annotations

from random import Random

from bench.text import draw, fonts, vocabulary
from bench.text.case import Case, Kind


def _cases(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        text = vocabulary.sentence(random, random.choice((200, 340, 500, 800)))
        face = draw.Type(random.choice(fonts.LATIN), random.choice((18, 22, 28)))
        image = draw.noisy(draw.page([text], face, margin=random.choice((12, 30))), random)
        cases.append(Case(f"long_{index}_{len(text)}_{face.font}", draw.png(image), (text,)))
    return cases


KINDS = (Kind("a line of hundreds of characters", _cases, bar=0.01, report="PaddlePaddle/PaddleOCR#3431"),)
