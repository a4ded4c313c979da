"""Text along arcs, as on seals, cups and signs: `text_det_box_type=poly` straightens it."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageDraw

from bench.text import draw, fonts, vocabulary
from bench.text.case import Case, Kind

POLY = {"text_det_box_type": "poly"}


def on_arc(text: str, face: draw.Type, radius: float, below: bool = False) -> Image.Image:
    """`text` along the top of a circle, its letters upright there; `below`: along its bottom, seen from inside."""
    size = face.size
    side = round(2 * radius + 6 * size)
    image, centre = Image.new("RGB", (side, side), draw.WHITE), side / 2
    turn = -face.length(text) / radius / 2
    for character in text:
        width = face.length(character)
        middle = turn + width / radius / 2
        tile = Image.new("L", (4 * size, 4 * size), 0)
        font = fonts.font(face.font, size)
        ImageDraw.Draw(tile).text((2 * size - width / 2, 2 * size - 0.35 * size), character, 255, font, anchor="ls")
        # The baseline's middle is where the tile's is, so it is turned about that.
        angle = -math.degrees(middle) if not below else math.degrees(middle)
        tile = tile.rotate(angle, Image.Resampling.BICUBIC, center=(2 * size, 2 * size - 0.35 * size))
        x = centre + radius * math.sin(middle)
        y = centre + (radius if below else -radius) * math.cos(middle)
        image.paste(draw.BLACK, (round(x - 2 * size), round(y - 1.65 * size)), tile)
        turn += width / radius
    return image


def _arcs(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        face = draw.Type(random.choice(fonts.LATIN), random.randint(28, 44))
        text = vocabulary.sentence(random, random.randint(16, 30))
        # Up to a third of a circle. Round more of it, detection finds the text in pieces.
        radius = face.length(text) / math.radians(random.uniform(40, 120))
        image = draw.noisy(on_arc(text, face, radius, random.random() < 0.4), random, 4)
        cases.append(Case(f"arc_{index}_{radius:.0f}", draw.png(image), (text,), POLY))
    return cases


KINDS = (Kind("text on an arc", _arcs, bar=0.03),)
