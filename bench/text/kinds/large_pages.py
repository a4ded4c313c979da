"""Small print on large pages, very tall images, and strips."""

from __future__ import annotations

from random import Random

from PIL import Image

from bench.text import draw, fonts, vocabulary
from bench.text.case import Case, Kind


def _filled(random: Random, width: int, height: int, size: int, leading: float) -> tuple[bytes, tuple[str, ...]]:
    """A page of lines from its top to its bottom."""
    face, step, margin = draw.Type(random.choice(fonts.LATIN), size), round(size * leading), min(size * 2, width // 12)
    image = Image.new("RGB", (width, height), draw.WHITE)
    texts = []
    for y in range(margin, height - margin - step, step):
        text = random.choice(vocabulary.WORDS)
        while face.length(longer := f"{text} {random.choice(vocabulary.WORDS)}") <= width - 2 * margin:
            text = longer
        draw.put(image, (margin, y), text, face)
        texts.append(text)
    return draw.png(image), tuple(texts)


def _tall(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        width, height, size = random.choice(((253, 14400, 20), (400, 6000, 26), (1080, 9000, 44), (600, 15000, 24)))
        image, texts = _filled(random, width, height, size, random.uniform(6, 12))
        cases.append(Case(f"tall_{index}_{width}x{height}", image, texts))
    return cases


def _small_print(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        width, height, size = random.choice(
            ((2480, 3508, 25), (3840, 2160, 20), (2560, 1440, 14), (3000, 4000, 22), (1654, 2339, 17))
        )
        image, texts = _filled(random, width, height, size, random.uniform(6, 16))
        cases.append(Case(f"small_{index}_{width}x{height}_{size}", image, texts))
    return cases


def _strip(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        size = random.randint(22, 40)
        text = vocabulary.sentence(random, random.choice((300, 500, 800)))
        face = draw.Type(random.choice(fonts.LATIN), size)
        cases.append(Case(f"strip_{index}_{size}", draw.png(draw.page([text], face, margin=10, leading=1.3)), (text,)))
    return cases


KINDS = (
    Kind("a very tall image", _tall, bar=0.03, report="PaddlePaddle/PaddleOCR#5021"),
    Kind("small print on a large page", _small_print, bar=0.02, report="PaddlePaddle/PaddleOCR#18037"),
    Kind("a very wide strip", _strip, bar=0.01, report="PaddlePaddle/PaddleOCR#5021"),
)
