"""Mutates files of one format and decodes them: `python -m tests.transformer.images.mutate FORMAT FIRST COUNT NOTE`.

The number of the mutation at work stands in the file NOTE, so that a crash of the process leaves its name behind.
Anything but a picture or a refusal, and anything slower than two seconds, ends with exit code 1 and a sentence.
"""

from __future__ import annotations

import faulthandler
import os
import random
import struct
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ppocr_api.errors import ImageTooLarge, InvalidImage
from tests.transformer.images import files
from transformer.images import ImageLimits, decode

LIMITS = ImageLimits(max_pixels=1_000_000)
MAX_SECONDS, MAX_MEMORY = 2.0, 512 * 1024 * 1024
RGB = files.picture(24, 33)
IMAGE = Image.fromarray(RGB)
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def seeds(format: str) -> list[bytes]:
    """Small whole files of a format, of every kind that its reader treats apart."""
    alpha = np.dstack([RGB, RGB[..., 0]])
    if format == "JPEG":
        options: tuple[dict[str, Any], ...] = (
            {},
            {"progressive": True},
            {"restart_marker_blocks": 2},
            {"subsampling": 2},
            {"exif": files.exif(6)},
        )
        return [files.written("JPEG", RGB, **o) for o in options] + [files.save(IMAGE.convert("CMYK"), "JPEG")]
    if format == "PNG":
        kinds = [files.save(IMAGE.convert(mode), "PNG") for mode in ("RGB", "RGBA", "LA", "P", "1", "I;16")]
        kinds += [files.save(IMAGE.convert(mode), "PNG", transparency=0) for mode in ("L", "P")]
        return [
            *kinds,
            files.png(33, 24, interlace=1, rows=files.adam7_rows(RGB)),
            files.written("PNG", RGB, exif=files.exif(5)),
            files.written("PNG", RGB, save_all=True, append_images=[IMAGE.rotate(180)]),
        ]
    if format == "GIF":
        frames = files.gif_frame(9, 7, x=2, y=3), files.gif_frame(9, 7, index=0)
        return [files.save(Image.fromarray(alpha), "GIF"), files.written("GIF", RGB), files.gif(12, 12, *frames)]
    if format == "WEBP":
        turned = files.written("WEBP", RGB, exif=files.exif(8))
        lossy = files.save(Image.fromarray(alpha), "WEBP", quality=60), files.written("WEBP", RGB, lossless=False)
        moving = files.written("WEBP", RGB, save_all=True, append_images=[IMAGE.rotate(180)])
        return [files.written("WEBP", alpha), files.written("WEBP", RGB), turned, *lossy, moving]
    if format == "TIFF":
        packed = [
            files.written("TIFF", RGB, compression=c) for c in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
        ]
        fax = [files.save(IMAGE.convert("1"), "TIFF", compression=c) for c in ("group3", "group4")]
        hand = [files.tiff(RGB, 2, rows=5), files.tiff(RGB, 2, tile=32, order=">"), files.tiff(RGB, 2, planar=2)]
        alphas = [files.tiff(alpha, 2, bits=b, tags={338: (3, [2])}) for b in (8, 16)]
        grey = RGB[..., :1]
        deep = [files.tiff(grey, 0, bits=16, tile=16), files.tiff(grey / 255, 1, bits=32), files.tiff(RGB, 2, big=True)]
        deep.append(files.tiff(RGB, 2, bits=16, planar=2, deflate=True))
        return packed + fax + hand + alphas + deep + [files.save(IMAGE.convert("P"), "TIFF"), files.tiff(alpha, 5)]
    if format == "JPEG2000":
        kinds = [files.save(IMAGE.convert(mode), "JPEG2000") for mode in ("RGB", "L", "RGBA")]
        return [*kinds, files.written("JPEG2000", RGB, no_jp2=True), files.written("JPEG2000", RGB, tile_size=(16, 16))]
    if format == "AVIF":
        moving = files.written("AVIF", RGB, save_all=True, append_images=[IMAGE.rotate(180)])
        turned = files.written("AVIF", RGB, exif=files.exif(6), quality=60, subsampling="4:2:0")
        return [
            files.written("AVIF", RGB),
            files.written("AVIF", alpha),
            files.save(IMAGE.convert("L"), "AVIF"),
            turned,
            moving,
        ]
    if format == "HEIF":
        tiles = files.written("HEIF", files.picture(70, 90), tile_size=64)
        return [
            files.written("HEIF", RGB, quality=60, chroma=420),
            files.written("HEIF", alpha),
            files.turned_heif(6, RGB),
            tiles,
        ]
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    kinds = [files.save(IMAGE.convert(mode), "BMP") for mode in ("RGB", "L", "P", "1")]
    runs = (RGB[..., 0] >> 4, np.repeat(np.arange(0, 256, 17)[:, None], 3, 1))
    return [
        *kinds,
        *(files.bmp_of_runs(*runs, bits=bits) for bits in (4, 8)),
        files.bmp(alpha.tobytes(), 33, 24, 32, compression=3, masks=masks),
        files.bmp(bytes(66 * 24 + 48), 33, 24, 16),
    ]


def mutated(whole: bytes, dice: random.Random) -> bytes:
    """One to six changes: bits, bytes, numbers at a limit, cuts, repeats and moves; heads are hit more often."""
    data = bytearray(whole)
    for _ in range(dice.choice((1, 1, 2, 3, 6))):
        size = len(data)
        if size < 16:
            break
        place = dice.randrange(min(size, 200)) if dice.random() < 0.4 else dice.randrange(size)
        length = dice.choice((1, 2, 4, 8, 30))
        match dice.randrange(7):
            case 0:
                data[place] ^= 1 << dice.randrange(8)
            case 1:
                data[place] = dice.randrange(256)
            case 2:
                width = dice.choice((1, 2, 4))
                number = dice.choice(INTERESTING) & ((1 << 8 * width) - 1)
                data[place : place + width] = number.to_bytes(width, dice.choice(("little", "big")))
            case 3:
                del data[place : place + length]
            case 4:
                data[place:place] = data[place : place + length] * dice.choice((1, 2, 50))
            case 5:
                other = dice.randrange(size)
                data[place : place + length] = data[other : other + length]
            case 6:
                data[place:place] = dice.randbytes(length)
    return bytes(data)


def with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks carry right checksums again, so that their content is looked at."""
    fixed, position = bytearray(data), 8
    while position + 12 <= len(fixed):
        (length,) = struct.unpack_from(">I", fixed, position)
        end = position + 8 + length
        if end + 4 > len(fixed):
            break
        struct.pack_into(">I", fixed, end, zlib.crc32(fixed[position + 4 : end]))
        position = end + 4
    return bytes(fixed)


def mutation(format: str, number: int, whole: list[bytes]) -> bytes:
    """The same number is the same file, always."""
    dice = random.Random(f"{format} {number}")
    data = mutated(dice.choice(whole), dice)
    return with_checksums(data) if format == "PNG" and dice.random() < 0.7 else data


def main(format: str, first: int, count: int, note: str) -> str | None:
    whole = seeds(format)
    for data in whole:
        decode(data)
    file = os.open(note, os.O_WRONLY | os.O_CREAT)
    read = 0
    for number in range(first, first + count):
        os.pwrite(file, b"%12d" % number, 0)
        data, started = mutation(format, number, whole), time.monotonic()
        try:
            image = decode(data, LIMITS)
        except (InvalidImage, ImageTooLarge):
            pass
        else:
            read += 1
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.flags.c_contiguous:
                return f"{format} mutation {number} became {image.dtype} {image.shape}"
        if time.monotonic() - started > MAX_SECONDS:
            return f"{format} mutation {number} took {time.monotonic() - started:.1f} s"
    # Not getrusage: its peak starts from that of the process which forked this one.
    if peak_bytes() > MAX_MEMORY:
        return f"{format} mutations from {first} on took more than {MAX_MEMORY:,} bytes"
    print(read)
    return None


def peak_bytes() -> int:
    """The largest resident memory of this program."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    faulthandler.enable()
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
