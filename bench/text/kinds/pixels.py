"""Pixels that are stored in other ways than as dark on white: transparent grounds, 16-bit grey, four inks, palettes, one bit."""

from __future__ import annotations

import io
from random import Random

import cv2
import numpy as np
from PIL import Image

from bench.text import draw, fonts, vocabulary
from bench.text.case import Case, Kind

LIGHT = ((255, 255, 255), (255, 240, 120), (200, 230, 255))
DARK = ((0, 0, 0), (60, 0, 90), (110, 20, 20))
_DEEP_FORMS = ("grey PNG", "grey TIFF", "RGB PNG", "RGB TIFF", "RGBA PNG")
#: Round the text [pixels].
MARGIN = 40


def _clear(random: Random, count: int) -> list[Case]:
    """Light text, dark text, and both, on a transparent ground; also of light shadow, and not quite opaque."""
    cases = []
    for index in range(count):
        lines, mask = _text(random)
        inks = random.choice(
            ((random.choice(LIGHT),), (random.choice(DARK),), (random.choice(LIGHT), random.choice(DARK)))
        )
        image = Image.new("RGBA", mask.size, (random.choice((0, 255)),) * 3 + (0,))
        step = (mask.height - 2 * MARGIN) // len(lines)
        for row in range(len(lines)):
            band = (0, MARGIN + row * step, mask.width, MARGIN + (row + 1) * step)
            ink = Image.new("RGBA", (mask.width, step), (*inks[row % len(inks)], random.choice((255, 200))))
            image.paste(ink, band[:2], mask.crop(band))
        form = random.choice(("PNG", "WEBP", "TIFF", "LA"))
        grey = form == "LA" and all(len(set(ink)) == 1 for ink in inks)
        data = _saved(image.convert("LA") if grey else image, "PNG" if form == "LA" else form)
        cases.append(Case(f"clear_{index}_{form}_{len(inks)}", data, tuple(lines)))
    return cases


def _deep(random: Random, count: int) -> list[Case]:
    """16 bits a channel, of which 8, 10, 12 or all are used."""
    cases = []
    for index in range(count):
        lines, mask = _text(random)
        bits, form = random.choice((8, 10, 12, 16)), random.choice(_DEEP_FORMS)
        ink = np.asarray(mask, np.uint32)
        grey = ((255 - ink) * ((1 << bits) - 1) // 255).astype(np.uint16)
        if form.startswith("grey"):
            data = _saved(Image.fromarray(grey), form.removeprefix("grey "))
        else:
            # Dark letters on a ground of their own, or on a clear one.
            channels = [grey] * 3 + ([(ink * 257).astype(np.uint16)] if form == "RGBA PNG" else [])
            data = cv2.imencode(f".{form.split()[1].lower()}", np.dstack(channels))[1].tobytes()
        cases.append(Case(f"deep_{index}_{form.replace(' ', '_')}_{bits}", data, tuple(lines)))
    return cases


def _others(random: Random, count: int) -> list[Case]:
    """Kinds that were always read."""
    cases = []
    for index in range(count):
        lines, mask = _text(random)
        image = Image.merge("RGB", [mask.point(lambda value: 255 - value)] * 3)
        kind = ("CMYK", "1", "P", "turned")[index % 4]
        if kind == "turned":
            exif = Image.Exif()
            exif[0x0112] = 6
            data = _saved(image.rotate(90, expand=True), "JPEG", exif=exif)
        elif kind == "CMYK":
            data = _saved(image.convert("CMYK"), "JPEG", quality=90)
        else:
            data = _saved(image.convert(kind), "PNG")
        cases.append(Case(f"other_{index}_{kind}", data, tuple(lines)))
    return cases


def _text(random: Random) -> tuple[list[str], Image.Image]:
    """Three lines, and where their ink is: 255 in an image of mode L."""
    lines = [vocabulary.sentence(random, 30) for _ in range(3)]
    face = draw.Type(random.choice(fonts.LATIN), random.choice((24, 30, 40)))
    image = draw.page(lines, face, margin=MARGIN, ink=draw.WHITE, ground=draw.BLACK)
    return lines, image.convert("L")


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    lossless = {"lossless": True} if form == "WEBP" else {}
    image.save(buffer, form, **lossless, **options)
    return buffer.getvalue()


KINDS = (
    Kind("text on a transparent ground", _clear, bar=0.005, report="RapidAI/RapidOCR#158"),
    Kind("16-bit images of 8 to 16 bits", _deep, bar=0.005, report="dmMaze/BallonsTranslator#923"),
    Kind("four inks, palettes, one bit, EXIF", _others, bar=0.005),
)
