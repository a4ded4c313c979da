"""Chinese and Japanese, alone and mixed with Latin."""

from __future__ import annotations

from random import Random

from bench.text import draw, fonts, score, vocabulary
from bench.text.case import Case, Kind


def _pages(random: Random, count: int, script: str) -> list[Case]:
    cases = []
    for index in range(count):
        name = random.choice(fonts.JAPANESE if script == "Japanese" else fonts.CHINESE)
        face = draw.Type(name, random.choice((16, 20, 26, 34)))
        lines = [_line(random, script) for _ in range(8)]
        image = draw.noisy(draw.page(lines, face), random, strength=random.choice((0, 5)))
        cases.append(Case(f"{script}_{index}_{face.size}", draw.png(image), tuple(lines)))
    return cases


def _line(random: Random, script: str) -> str:
    """Half of the lines are sentences, half single characters."""
    count = random.randrange(8, 24)
    if random.random() < 0.5:
        text = vocabulary.single_characters(random, script, count)
    else:
        text = vocabulary.stretch(random, vocabulary.JAPANESE if script == "Japanese" else vocabulary.CHINESE, count)
    if script != "mixed":
        return text
    at = random.randrange(1, len(text))
    return text[:at] + random.choice(("OCR", "A4", "2024", "15:30", "ABC123", "PDF", "98.50")) + text[at:]


KINDS = tuple(
    Kind(f"{script} text", lambda random, count, script=script: _pages(random, count, script), bar, score.error_rate)  # type: ignore[misc]
    for script, bar in (("Japanese", 0.011), ("Chinese", 0.022), ("mixed", 0.016))
)
