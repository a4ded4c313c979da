"""Pages turned by any angle, lines of several directions on one page, and vertical columns."""

from __future__ import annotations

from random import Random

from PIL import Image

from bench.text import draw, fonts, vocabulary
from bench.text.case import Case, Kind

PAGE, LINES = {"use_doc_orientation_classify": "true"}, {"use_textline_orientation": "true"}


def _paragraph(random: Random, lines: int, size: int) -> tuple[Image.Image, list[str]]:
    texts = [vocabulary.sentence(random, random.randint(30, 48)) for _ in range(lines)]
    face = draw.Type(random.choice(fonts.LATIN), size)
    return draw.page(texts, face, margin=round(size * 1.5), leading=1.7), texts


def _turned(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        image, texts = _paragraph(random, random.randint(5, 12), random.randint(22, 32))
        degrees = 15 * (index % 24)
        turned = draw.noisy(draw.turned(image, degrees), random, 3)
        cases.append(Case(f"turned_{index}_{degrees}", draw.png(turned), tuple(texts), PAGE))
    return cases


def _several(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        size = random.randint(22, 30)
        parts = [_paragraph(random, lines, size) for lines in (random.randint(3, 5), 2, random.randint(2, 3))]
        upright, side, below = parts[0][0], draw.turned(parts[1][0], 270), draw.turned(parts[2][0], 180)
        image = Image.new(
            "RGB", (side.width + below.width + 60, upright.height + max(side.height, below.height + 150)), draw.WHITE
        )
        image.paste(upright, (0, 0))
        image.paste(side, (0, upright.height))
        image.paste(below, (side.width + 60, upright.height + 120))
        texts = tuple(text for _, own in parts for text in own)
        cases.append(Case(f"several_{index}", draw.png(draw.noisy(image, random, 3)), texts, {**PAGE, **LINES}))
    return cases


def _vertical(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        script, source = random.choice(((fonts.CHINESE, vocabulary.CHINESE), (fonts.JAPANESE, vocabulary.JAPANESE)))
        size = random.randint(28, 44)
        face, step = draw.Type(random.choice(script), size), round(size * random.uniform(1.8, 2.4))
        texts = [vocabulary.stretch(random, source, random.randint(5, 10)) for _ in range(random.randint(2, 5))]
        height = round(size * 1.1) * max(len(text) for text in texts) + 100
        image = Image.new("RGB", (step * len(texts) + 80, height), draw.WHITE)
        for column, text in enumerate(texts):
            for row, character in enumerate(text):
                x = image.width - 40 - (column + 1) * step
                draw.put(image, (x, 50 + row * round(size * 1.1)), character, face)
        cases.append(Case(f"vertical_{index}_{face.font}", draw.png(image), tuple(texts)))
    return cases


KINDS = (
    Kind("a page turned by a multiple of 15 degrees", _turned, bar=0.03, report="PaddlePaddle/PaddleOCR#8137"),
    Kind("lines of several directions on one page", _several, bar=0.05),
    Kind("columns of vertical text, from the right", _vertical, bar=0.06),
)
