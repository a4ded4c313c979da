"""Pictures of 6 million pixels, in the kinds that take decoders the most memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.transformer.images import files

WIDTH, HEIGHT = 3000, 2000
FAST = {"enc_params": {"preset": "ultrafast"}}
PAGE = np.full((HEIGHT, WIDTH, 3), 250, np.uint8)


def page(mode: str) -> Image.Image:
    return Image.new(mode, (WIDTH, HEIGHT))


def png16() -> bytes:
    return files.png(WIDTH, HEIGHT, depth=16, colour=6, rows=bytes((8 * WIDTH + 1) * HEIGHT))


def tiff_of_jpeg() -> bytes:
    jpeg = files.written("JPEG", PAGE, progressive=True)
    entries = {256: (4, [WIDTH]), 257: (4, [HEIGHT]), 258: (3, [8] * 3), 259: (3, [7]), 262: (3, [6]), 277: (3, [3])}
    strip = {273: (4, [8]), 278: (4, [HEIGHT]), 279: (4, [len(jpeg)]), 530: (3, [1, 1])}
    return files.tiff_file(jpeg, {**entries, **strip})


KINDS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: files.written("JPEG", PAGE),
    "JPEG turned": lambda: files.written("JPEG", PAGE, exif=files.exif(6)),
    "JPEG progressive": lambda: files.written("JPEG", PAGE, progressive=True),
    "JPEG CMYK": lambda: files.save(page("CMYK"), "JPEG"),
    "PNG": lambda: files.written("PNG", PAGE, compress_level=1),
    "PNG with alpha": lambda: files.save(page("RGBA"), "PNG", compress_level=1),
    "PNG 16-bit with alpha": png16,
    "PNG palette with alpha": lambda: files.save(page("P"), "PNG", transparency=0, compress_level=1),
    "PNG grey with key": lambda: files.save(page("L"), "PNG", transparency=0, compress_level=1),
    "GIF": lambda: files.save(page("L"), "GIF"),
    "WebP with alpha": lambda: files.save(page("RGBA"), "WEBP", lossless=True, method=0),
    "WebP lossy": lambda: files.save(page("RGB"), "WEBP", method=0),
    "TIFF in one strip": lambda: files.tiff(PAGE, 2),
    "TIFF with alpha": lambda: files.tiff(np.dstack([PAGE, PAGE[..., :1]]), 2, tags={338: (3, [2])}, rows=64),
    "TIFF of 8 bits in 16": lambda: files.tiff(PAGE, 2, bits=16),
    "TIFF of floats": lambda: files.tiff(PAGE[..., :1], 1, bits=32, rows=64, deflate=True),
    "TIFF LZW in one strip": lambda: files.written("TIFF", PAGE, compression="tiff_lzw", strip_size=1 << 30),
    "TIFF of a progressive JPEG in one strip": tiff_of_jpeg,
    "JPEG 2000 of small blocks": lambda: files.save(Image.fromarray(PAGE), "JPEG2000", codeblock_size=(8, 8)),
    "JPEG 2000": lambda: files.save(Image.fromarray(PAGE), "JPEG2000"),
    "JPEG 2000 with alpha in tiles": lambda: files.save(page("RGBA"), "JPEG2000", tile_size=(512, 512)),
    "AVIF": lambda: files.save(Image.fromarray(PAGE), "AVIF", speed=10),
    "AVIF with alpha": lambda: files.save(page("RGBA"), "AVIF", speed=10, subsampling="4:4:4"),
    "HEIC in tiles": lambda: files.save(Image.fromarray(PAGE), "HEIF", tile_size=512, **FAST),
    "HEIC with alpha": lambda: files.save(page("RGBA"), "HEIF", chroma=444, **FAST),
    "BMP": lambda: files.written("BMP", PAGE),
}
