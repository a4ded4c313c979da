"""Price lists whose rows have to stay rows: skewed, and at small and large scales."""

from __future__ import annotations

from random import Random

from PIL import Image

from bench.text import draw, fonts, vocabulary
from bench.text.case import Case, Kind


def price_list(random: Random, size: int, rows: int, leading: float) -> tuple[Image.Image, list[str]]:
    """A name, a number and a price in each row, and a heading; and their texts, row by row."""
    face = draw.Type(random.choice(fonts.LATIN), size)
    width, step, margin = round(size * 26), round(size * leading), size * 2
    image = Image.new("RGB", (width, step * (rows + 2) + 2 * margin), draw.WHITE)
    texts = [vocabulary.sentence(random, 20).upper()]
    draw.put(image, (margin, margin), texts[0], face)
    for row in range(rows):
        y = margin + (row + 2) * step
        price = f"{random.uniform(1, 99):.2f}"
        cells = (vocabulary.sentence(random, 14), f"{random.randint(2, 9)} pc", price)
        places = (margin, round(width * 0.55), width - margin - round(face.length(price)))
        for x, cell in zip(places, cells, strict=True):
            draw.put(image, (x, y), cell, face)
        texts += cells
    return image, texts


def _skewed(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        image, texts = price_list(random, random.randint(20, 30), random.randint(10, 22), random.uniform(1.5, 2.1))
        degrees = random.choice((-1, 1)) * random.uniform(1.5, 7)
        turned = draw.noisy(draw.turned(image, degrees), random)
        cases.append(Case(f"skewed_{index}_{degrees:.1f}", draw.png(turned), tuple(texts)))
    return cases


def _scaled(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        # Type that is too small for its strokes can't be read; the order of what is read is the point.
        size = random.choice((10, 11, 12, 70, 90))
        image, texts = price_list(random, size, random.randint(6, 20), random.uniform(1.4, 2.0))
        cases.append(Case(f"scaled_{index}_{size}", draw.png(draw.noisy(image, random, 2)), tuple(texts)))
    return cases


KINDS = (
    Kind("order on a skewed page", _skewed, bar=0.03, report="PaddlePaddle/PaddleOCR#8137"),
    Kind("order at a low and a high resolution", _scaled, bar=0.05),
)
