"""Whole pictures that hide something: name → bytes. They are read as what they show."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.transformer.images import files
from tests.transformer.images.crafted import (
    GIF_FRAME,
    animated_png,
    png_with,
)

#: Whole pictures that hide something: they are read as what they show.
HARMLESS: dict[str, Callable[[], bytes]] = {
    "PNG of a text that inflates": lambda: png_with(files.chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000)))),
    "PNG of a profile that inflates": lambda: png_with(
        files.chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(50_000_000)))
    ),
    "PNG of a broken animation": lambda: animated_png(damaged=True),
    "GIF of 2,000 frames": lambda: files.gif(8, 8, *[GIF_FRAME] * 2000),
    "GIF of a second frame of 65,535 x 65,535": lambda: files.gif(
        8, 8, GIF_FRAME, struct.pack("<BHHHHB", 0x2C, 0, 0, 65_535, 65_535, 0) + b"\2\0"
    ),
}
