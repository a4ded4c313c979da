"""A file that was cut anywhere is refused, in every format: half an image must never be read as a whole one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from ppocr_api.errors import InvalidImage
from tests.transformer.images import files
from transformer.images import decode

IMAGE = Image.fromarray(files.picture())
KINDS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: files.written("JPEG"),
    "JPEG progressive": lambda: files.written("JPEG", progressive=True),
    "JPEG CMYK": lambda: files.save(IMAGE.convert("CMYK"), "JPEG"),
    "PNG": lambda: files.written("PNG"),
    "PNG palette": lambda: files.save(IMAGE.convert("P"), "PNG"),
    "PNG uncompressed": lambda: files.written("PNG", compress_level=0),
    "GIF": lambda: files.written("GIF"),
    "WebP lossless": lambda: files.written("WEBP"),
    "WebP lossy with alpha": lambda: files.save(IMAGE.convert("RGBA"), "WEBP", quality=80),
    "TIFF": lambda: files.written("TIFF"),
    "TIFF LZW": lambda: files.written("TIFF", compression="tiff_lzw"),
    "TIFF JPEG": lambda: files.written("TIFF", compression="jpeg"),
    "TIFF fax": lambda: files.save(IMAGE.convert("1"), "TIFF", compression="group4"),
    "TIFF tiles": lambda: files.tiff(files.picture(), 2, tile=128),
    "BMP": lambda: files.written("BMP"),
    "TIFF big": lambda: files.tiff(files.picture(), 2, big=True),
    "PNG animated": lambda: files.written("PNG", save_all=True, append_images=[IMAGE.rotate(180)]),
    "WebP animated": lambda: files.written("WEBP", save_all=True, append_images=[IMAGE.rotate(180)]),
    "JPEG 2000": lambda: files.written("JPEG2000"),
    "JPEG 2000 codestream": lambda: files.written("JPEG2000", no_jp2=True),
    "JPEG 2000 tiles": lambda: files.written("JPEG2000", tile_size=(16, 16)),
    "AVIF": lambda: files.written("AVIF"),
    "AVIF with alpha": lambda: files.save(IMAGE.convert("RGBA"), "AVIF"),
    "HEIC": lambda: files.written("HEIF"),
    "HEIC tiles": lambda: files.written("HEIF", tile_size=32),
    "BMP palette": lambda: files.save(IMAGE.convert("P"), "BMP"),
    "BMP run lengths": lambda: files.bmp_of_runs(files.picture()[..., 0] >> 4, np.zeros((16, 3), np.uint8)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_file_is_refused(kind: str) -> None:
    whole = KINDS[kind]()
    assert decode(whole).shape == (40, 56, 3)
    step = max(len(whole) // 300, 1)
    for length in {*range(0, len(whole), step), len(whole) - 1, len(whole) - 2}:
        with pytest.raises(InvalidImage):
            decode(whole[:length])


@pytest.mark.parametrize("kind", KINDS)
def test_the_sentence_names_the_format(kind: str) -> None:
    whole = KINDS[kind]()
    with pytest.raises(
        InvalidImage,
        match=rf"the {'JPEG 2000' if '2000' in kind else kind.split(maxsplit=1)[0]} file is (truncated|damaged): ",
    ):
        decode(whole[: len(whole) * 2 // 3])


def test_a_cut_jpeg_is_refused_when_an_end_marker_was_put_behind_it() -> None:
    whole = files.written("JPEG", files.picture(400, 600), restart_marker_blocks=5)
    for part in (0.3, 0.6, 0.9):
        with pytest.raises(InvalidImage, match=r"truncated: a scan has [\d,]+ restart markers of [\d,]+"):
            decode(whole[: int(len(whole) * part)] + b"\xff\xd9")


def test_a_jpeg_cut_in_its_first_rows_is_refused_whatever_follows() -> None:
    whole = files.written("JPEG", files.picture(800, 1200))
    start = whole.index(b"\xff\xda")
    with pytest.raises(InvalidImage, match="can't hold"):
        decode(whole[: start + 400] + b"\xff\xd9")
