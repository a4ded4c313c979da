"""Prose in columns, which are read one after the other with `columns=true`; and tables, whose rows stay rows with it."""

from __future__ import annotations

from random import Random

from PIL import Image

from bench.text import draw, fonts, vocabulary
from bench.text.case import Case, Kind
from bench.text.kinds.order import price_list

COLUMNS = {"columns": "true"}


def _prose(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        size, columns = random.randint(20, 28), random.choice((2, 2, 3))
        face, width, gutter = draw.Type(random.choice(fonts.LATIN), size), size * random.randint(14, 20), size * 2
        step, margin = round(size * random.uniform(1.3, 1.6)), size * 2
        page = Image.new("RGB", (2 * margin + columns * width + (columns - 1) * gutter, step * 44), draw.WHITE)
        y, texts = margin, []
        for block in range(random.randint(1, 3)):
            if block or random.random() < 0.5:
                # Headings are as wide as the page, and each has its own columns below it.
                text = _fitted(random, draw.Type(face.font, size + 8), page.width - 2 * margin)
                draw.put(page, (margin, y), text, draw.Type(face.font, size + 8))
                texts.append(text)
                y += 2 * step
            y = _columns(random, page, face, texts, (margin, y), (columns, width, gutter, step), 11)
        image = draw.noisy(draw.turned(page, random.uniform(-2, 2)), random, 3)
        cases.append(Case(f"columns_{index}_{columns}", draw.png(image), tuple(texts), COLUMNS))
    return cases


def _columns(
    random: Random,
    page: Image.Image,
    face: draw.Type,
    texts: list[str],
    at: tuple[int, int],
    layout: tuple[int, int, int, int],
    rows: int,
) -> int:
    """Draws columns of `rows` lines and adds their texts; returns where the next part of the page begins."""
    columns, width, gutter, step = layout
    for column in range(columns):
        for row in range(rows if column < columns - 1 else rows - random.randint(0, 4)):
            texts.append(_fitted(random, face, width))
            draw.put(page, (at[0] + column * (width + gutter), at[1] + row * step), texts[-1], face)
    return at[1] + (rows + 1) * step


def _fitted(random: Random, face: draw.Type, width: float) -> str:
    text = random.choice(vocabulary.WORDS)
    while face.length(longer := f"{text} {random.choice(vocabulary.WORDS)}") <= width:
        text = longer
    return text


def _tables(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        image, texts = price_list(random, random.randint(20, 28), random.randint(8, 20), random.uniform(1.5, 2.0))
        cases.append(Case(f"table_{index}", draw.png(draw.noisy(image, random)), tuple(texts), COLUMNS))
    return cases


KINDS = (
    Kind("prose in columns", _prose, bar=0.05, report="aiptimizer/TurboOCR#37"),
    Kind("a price list, read with columns=true", _tables, bar=0.03),
)
