"""Of nasty.py: damaged files of JPEG 2000, AVIF and HEIC."""

from __future__ import annotations

import struct
from collections.abc import Callable

from PIL import Image

from tests.transformer.images import files
from tests.transformer.images.crafted import heic_grid_of, jpeg2000_of, with_number

DAMAGED: dict[str, tuple[Callable[[], bytes], str]] = {
    "JPEG 2000 of an empty file": (lambda: b"\0\0\0\x0cjP  \r\n\x87\n", "it has no jp2h box"),
    "JPEG 2000 without its tiles": (lambda: jpeg2000_of(64, 64, tile=8), "it has 1 of 64 tiles"),
    "JPEG 2000 of 30 million parts": (
        lambda: jpeg2000_of(64, 64)[:-2] + struct.pack(">HHHIBBH", 0xFF90, 10, 0, 14, 0, 1, 0xFF93) * 3_000_000,
        "65,536 parts of tiles",
    ),
    "JPEG 2000 without pixels": (lambda: jpeg2000_of(0, 8), "its header says 0 x 8 pixels"),
    "HEIC of more pixels than it declares": (
        lambda: with_number(files.written("HEIF", files.picture(300, 300)), b"ispe", 4, 64, 64),
        "pixels are coded for 64 x 64",
    ),
    "AVIF of more pixels than it declares": (
        lambda: with_number(files.written("AVIF", files.picture(300, 300)), b"ispe", 4, 64, 64),
        "300 x 300 pixels are coded for 64 x 64",
    ),
    "HEIC of nothing else": (lambda: b"\0\0\0\x18ftypheic" + bytes(4) + b"mif1heic", "it has no meta box"),
    "HEIC of 8 million boxes": (
        lambda: b"\0\0\0\x18ftypheic" + bytes(4) + b"mif1heic" + b"\0\0\0\x08free" * 8_000_000,
        "it has more than 10,000 boxes",
    ),
    "HEIC of a box of 2**63 bytes": (
        lambda: b"\0\0\0\x18ftypheic" + bytes(4) + b"mif1heic\0\0\0\1meta" + b"\x7f" + bytes(7),
        "a box declares 9,151,314,442,816,847,872 bytes",
    ),
    "HEIC cut out of more than it has": (
        lambda: with_number(files.written("HEIF"), b"clap", 0, 60_000, 1, 60_000, 1),
        "it is cropped to 60,000 over 1 of 64 pixels",
    ),
    "HEIC of a grid of 65,536 tiles": (lambda: heic_grid_of(256, 256, 90, 70), "its grid has the wrong size"),
    "HEIC of a grid of another size": (lambda: heic_grid_of(2, 2, 60_000, 60_000), "its grid has the wrong size"),
    "HEIC of one item twice": (
        lambda: files.written("HEIF", files.picture(70, 90), tile_size=64).replace(
            b"infe\2\0\0\1\0\2", b"infe\2\0\0\1\0\3"
        ),
        "it has an item twice",
    ),
    "AVIF of a film alone": (
        lambda: files.written("AVIF", save_all=True, append_images=[Image.new("RGB", (56, 40))]).replace(
            b"meta", b"free"
        ),
        "it has no meta box",
    ),
}
