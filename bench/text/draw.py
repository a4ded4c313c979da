"""Drawing: a line of text, pages of lines, and files of them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from bench.text import fonts

Colour = tuple[int, int, int]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True)
class Type:
    """A font by its name, and its size in pixels an em."""

    font: str
    size: int

    def box(self, text: str) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the ink, from the place where the text is put."""
        return fonts.font(self.font, self.size).getbbox(text)

    def length(self, text: str) -> float:
        """How far the text goes on [pixels]."""
        return fonts.font(self.font, self.size).getlength(text)


def put(image: Image.Image, at: tuple[float, float], text: str, face: Type, ink: Colour = BLACK) -> None:
    """Writes `text` into `image`; `at` is the left end of its ascenders' line."""
    ImageDraw.Draw(image).text(at, text, ink, fonts.font(face.font, face.size))


def page(
    lines: list[str],
    face: Type,
    *,
    margin: int = 40,
    leading: float = 1.6,
    ink: Colour = BLACK,
    ground: Colour = WHITE,
) -> Image.Image:
    """The lines below each other, as wide as the longest one."""
    step = round(face.size * leading)
    width = round(max(face.length(line) for line in lines)) + 2 * margin
    image = Image.new("RGB", (width, step * len(lines) + 2 * margin), ground)
    for index, line in enumerate(lines):
        put(image, (margin, margin + index * step), line, face, ink)
    return image


def tight(text: str, face: Type, border: int, ink: Colour = BLACK, ground: Colour = WHITE) -> Image.Image:
    """The ink of one line with `border` pixels round it."""
    left, top, right, bottom = face.box(text)
    image = Image.new("RGB", (round(right - left) + 2 * border, round(bottom - top) + 2 * border), ground)
    put(image, (border - left, border - top), text, face, ink)
    return image


def turned(image: Image.Image, degrees: float, ground: Colour = WHITE) -> Image.Image:
    """Turned clockwise, grown so that nothing is cut off."""
    return image.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=ground)


def noisy(image: Image.Image, random: Random, strength: float = 6.0, blur: float = 0.0) -> Image.Image:
    """Blurred [pixels], then with noise of `strength` grey values (standard deviation)."""
    soft = image.filter(ImageFilter.GaussianBlur(blur)) if blur else image
    grain = np.random.default_rng(random.randrange(2**32)).normal(0, strength, (image.height, image.width, 1))
    return Image.fromarray(np.clip(np.asarray(soft, np.float64) + grain, 0, 255).astype(np.uint8))


def png(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
