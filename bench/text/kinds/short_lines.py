"""Text of a few characters: crops of one glyph or one word, and the cells of tables."""

from __future__ import annotations

from random import Random

from PIL import Image

from bench.text import draw, fonts, score, vocabulary
from bench.text.case import Case, Kind

#: Characters that can be told apart without any context: O and 0, I, l and 1 can't.
GLYPHS = "ABDEFGHKMNPQRTYabdefghkmnrtuy2345679&%#?@"
COLOURS = (((0, 0, 0), (255, 255, 255)), ((255, 255, 255), (20, 40, 90)), ((150, 20, 20), (240, 235, 220)))


def _glyphs(random: Random, count: int) -> list[Case]:
    return _crops(random, count, lambda: random.choice(GLYPHS), "glyph")


def _words(random: Random, count: int) -> list[Case]:
    return _crops(random, count, lambda: random.choice([*vocabulary.WORDS, "4.50", "17:30", "B2", "No. 8"]), "word")


def _crops(random: Random, count: int, text: object, name: str) -> list[Case]:
    cases = []
    for index in range(count):
        written = text()  # type: ignore[operator]
        face = draw.Type(random.choice(fonts.LATIN), random.choice((12, 16, 22, 32, 48)))
        ink, ground = random.choice(COLOURS)
        image = draw.tight(written, face, random.choice((0, 1, 2, 4)), ink, ground)
        cases.append(Case(f"{name}_{index}_{face.font}_{face.size}", draw.png(image), (written,)))
    return cases


def _cells(random: Random, count: int) -> list[Case]:
    """Tables of cells of one to three characters, with rules or without."""
    cases = []
    for index in range(count):
        face = draw.Type(random.choice(fonts.LATIN), random.choice((16, 20, 28)))
        rows, columns, ruled = 7, 8, random.random() < 0.5
        width, height = face.size * 4, face.size * 2
        image = Image.new("RGB", (columns * width + 40, rows * height + 40), draw.WHITE)
        texts = [_cell(random) for _ in range(rows * columns)]
        for place, text in enumerate(texts):
            x, y = 20 + place % columns * width, 20 + place // columns * height
            if ruled:
                image.paste((90, 90, 90), (x, y, x + width, y + 1))
                image.paste((90, 90, 90), (x, y, x + 1, y + height))
            draw.put(image, (x + face.size // 2, y + face.size // 3), text, face)
        cases.append(Case(f"cells_{index}_{face.font}_{face.size}", draw.png(image), tuple(texts)))
    return cases


def _cell(random: Random) -> str:
    digits = "23456789"
    return random.choice(
        (
            random.choice(digits),
            random.choice(digits) + random.choice("0123456789"),
            "".join(random.choice(digits) for _ in range(3)),
            random.choice("ABDEFHKNPRTXY"),
            random.choice("ABDEFHKNPRTXY") + random.choice(digits),
        )
    )


def _narrow(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        lines = [vocabulary.sentence(random, 60) for _ in range(6)]
        face = draw.Type(random.choice(fonts.NARROW), 24)
        image = draw.page(lines, face)
        squeezed = image.resize(
            (round(image.width * random.choice((0.75, 0.85, 1.0))), image.height), Image.Resampling.LANCZOS
        )
        cases.append(Case(f"narrow_{index}_{face.font}", draw.png(squeezed), tuple(lines)))
    return cases


KINDS = (
    Kind("a crop of one glyph", _glyphs, 0.0, score.not_exact, "not exact", "PaddlePaddle/PaddleOCR#13537"),
    Kind("a crop of one word", _words, 0.0, score.not_exact, "not exact", "PaddlePaddle/PaddleOCR#13537"),
    Kind("cells of one to three characters", _cells, 0.08, score.missed_words, "1 - F1", "RapidAI/RapidOCR#259"),
    Kind("narrow type", _narrow, 0.0007),
)
