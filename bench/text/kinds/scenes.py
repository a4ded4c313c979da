"""Photographs of scenes: a few words on signs and walls, seen from the side, in the shade, out of focus, among much else.

They are drawn, as everything here: labelled photographs may not be passed on with the project.
"""

from __future__ import annotations

import io
from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from bench.text import draw, fonts, score, vocabulary
from bench.text.case import Case, Kind

WIDTH, HEIGHT = 1280, 720
#: Grey values between the ink of a sign and its ground, at least.
CONTRAST = 90


def _scenes(random: Random, count: int) -> list[Case]:
    cases = []
    for index in range(count):
        scene, words = _street(random), list[str]()
        # One sign in each of six fields, or none.
        for field in range(6):
            if random.random() < 0.7 or (field == 5 and not words):
                text = random.choice([*vocabulary.WORDS, "17:30", "No. 8", "A4"])
                scene = _with_sign(scene, random, text, field)
                words.append(text)
        photograph = draw.noisy(scene, random, random.uniform(2, 8), random.uniform(0, 1.2))
        buffer = io.BytesIO()
        photograph.save(buffer, "JPEG", quality=random.randint(70, 92))
        cases.append(Case(f"scene_{index}", buffer.getvalue(), tuple(words)))
    return cases


def _street(random: Random) -> Image.Image:
    """Patches of light and shade, and rectangles as of windows and posts."""
    numbers = np.random.default_rng(random.randrange(2**32))
    light = Image.fromarray(numbers.integers(40, 220, (7, 12, 3)).astype(np.uint8))
    image = light.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = random.randrange(WIDTH), random.randrange(HEIGHT)
        sides = (random.randint(4, 200), random.randint(4, 200))
        pen.rectangle((x, y, x + sides[0], y + sides[1]), _colour(random), _colour(random))
    return image.filter(ImageFilter.GaussianBlur(1.5))


def _with_sign(scene: Image.Image, random: Random, text: str, field: int) -> Image.Image:
    face = draw.Type(random.choice(fonts.LATIN), random.randint(22, 64))
    ground, ink = _colour(random), _colour(random)
    while abs(_grey(ground) - _grey(ink)) < CONTRAST:
        ground, ink = _colour(random), _colour(random)
    sign = draw.tight(text, face, round(face.size * random.uniform(0.3, 0.8)), ink, ground)
    # The field's middle; the sign is turned about it, and its corners are moved as perspective does.
    middle = np.array(((field % 3 + 0.5) * WIDTH / 3, (field // 3 + 0.5) * HEIGHT / 2))
    angle = np.radians(random.uniform(-25, 25))
    turn = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
    size = np.array(sign.size) * min(1.0, 0.8 * WIDTH / 3 / sign.width)
    corners = np.array(((-1, -1), (1, -1), (1, 1), (-1, 1))) / 2 * size @ turn.T + middle
    corners += [[random.uniform(-0.12, 0.12) * size[1] for _ in range(2)] for _ in range(4)]
    of_sign = np.array(((0, 0), (sign.width, 0), sign.size, (0, sign.height)), np.float32)
    transform = cv2.getPerspectiveTransform(of_sign, corners.astype(np.float32))
    seen = cv2.warpPerspective(np.asarray(sign), transform, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full(sign.size[::-1], 255, np.uint8), transform, (WIDTH, HEIGHT))
    # Half of the signs are partly in the shade.
    if random.random() < 0.5:
        edge = round(middle[0]) + random.randint(-60, 60)
        seen[:, edge:] = seen[:, edge:] * random.uniform(0.4, 0.7)
    whole = scene.copy()
    whole.paste(Image.fromarray(seen), (0, 0), Image.fromarray(mask))
    return whole


def _colour(random: Random) -> draw.Colour:
    return random.randrange(256), random.randrange(256), random.randrange(256)


def _grey(colour: draw.Colour) -> float:
    return float(np.dot(colour, (0.299, 0.587, 0.114)))


KINDS = (Kind("words in a scene, drawn", _scenes, 0.12, score.missed_words, "1 - F1"),)
