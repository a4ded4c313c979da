"""Image files made for the tests: by Pillow where it writes a kind, by hand where it doesn't."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pillow_heif import register_heif_opener

register_heif_opener()

Array = NDArray[Any]


def picture(height: int = 40, width: int = 56) -> Array:
    """UINT8 [H,W,3]: smooth colours, with dark bars and one corner that tells which side is up."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([255 - x * 2, 255 - y * 3, 200 + (x + y) // 4], -1).clip(0, 255).astype(np.uint8)
    rgb[height // 4 : height // 2, width // 4 : 3 * width // 4] = (20, 30, 40)
    rgb[: height // 5, : width // 5] = (200, 20, 20)
    return rgb


def save(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def written(format: str, rgb: Array | None = None, **options: Any) -> bytes:
    """`rgb` as an ordinary file of `format`, lossless where it can be; nearly so as AVIF and HEIF."""
    if format == "WEBP":
        options.setdefault("lossless", True)
    if format == "JPEG":
        options = {"quality": 95, "subsampling": 0, **options}
    if format == "AVIF":
        options = {"quality": 100, "subsampling": "4:4:4", "max_threads": 1, **options}
    if format == "HEIF":
        options = {"quality": 100, "chroma": 444, **options}
    return save(Image.fromarray(picture() if rgb is None else rgb), format, **options)


def seen(data: bytes) -> Array:
    """What Pillow shows of a file, on white: the reference for `decode`."""
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    return np.array(page.convert("RGB"))


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    width: int = 8,
    height: int = 8,
    *,
    depth: int = 8,
    colour: int = 2,
    interlace: int = 0,
    extra: Iterable[bytes] = (),
    rows: bytes = b"",
) -> bytes:
    """A PNG of given header; `rows` are filtered rows, `extra` whole chunks before IDAT."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    rows = rows or bytes((3 * width + 1) * height)
    body = (chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def png_rows(samples: Array) -> bytes:
    """UINT16 or UINT8 [H,W,S] as unfiltered rows."""
    big = samples.astype(">u2") if samples.dtype == np.uint16 else samples
    return b"".join(b"\0" + row.tobytes() for row in big)


def adam7_rows(rgb: Array) -> bytes:
    """UINT8 [H,W,3] as the rows of the seven passes of an interlaced PNG."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    return b"".join(png_rows(np.ascontiguousarray(rgb[y::down, x::right])) for y, x, down, right in passes)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[274] = orientation
    return tags


def turned_heif(orientation: int, rgb: Array | None = None) -> bytes:
    """An HEIC file whose own boxes say how it is turned; its EXIF does too, as in those of telephones."""
    image = Image.fromarray(picture() if rgb is None else rgb)
    image.info["exif"] = exif(orientation).tobytes()
    return save(image, "HEIF", quality=100, chroma=444)


def tiff(
    samples: Array,
    photometric: int,
    *,
    bits: int = 8,
    order: str = "<",
    rows: int | None = None,
    tile: int | None = None,
    planar: int = 1,
    deflate: bool = False,
    big: bool = False,
    tags: dict[int, tuple[int, list[int]]] | None = None,
) -> bytes:
    """A TIFF of `samples` [H,W,S]; `tags` (type, values) are added or put in place of what was computed. 32 bits are floats."""
    height, width, count = samples.shape
    planes = [samples[..., i : i + 1] for i in range(count)] if planar == 2 else [samples]
    blocks: list[bytes] = []
    for plane in planes:
        if tile:
            grid = np.zeros((-(-height // tile) * tile, -(-width // tile) * tile, plane.shape[2]), plane.dtype)
            grid[:height, :width] = plane
            blocks += [
                _packed(grid[y : y + tile, x : x + tile], bits, order)
                for y in range(0, height, tile)
                for x in range(0, width, tile)
            ]
        else:
            step = rows or height
            blocks += [_packed(plane[y : y + step], bits, order) for y in range(0, height, step)]
    if deflate:
        blocks = [zlib.compress(block) for block in blocks]
    sizes = [len(block) for block in blocks]
    offsets = [(16 if big else 8) + sum(sizes[:i]) for i in range(len(sizes))]
    entries = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * count), 259: (3, [8 if deflate else 1])}
    entries |= {262: (3, [photometric]), 277: (3, [count]), 284: (3, [planar])}
    if bits == 32:
        entries[339] = (3, [3])
    place = 16 if big else 4  # the type of offsets
    if tile:
        entries |= {322: (4, [tile]), 323: (4, [tile]), 324: (place, offsets), 325: (place, sizes)}
    else:
        entries |= {273: (place, offsets), 278: (4, [rows or height]), 279: (place, sizes)}
    return tiff_file(b"".join(blocks), entries | (tags or {}), order, big=big)


def tiff_file(
    body: bytes, entries: dict[int, tuple[int, list[int]]], order: str = "<", following: int = 0, big: bool = False
) -> bytes:
    """`body` from byte 8 on (16 in a BigTIFF), then one directory; `following` is the offset of the next one, -1 its own."""
    body += b"\0" * (len(body) % 2)
    count, head, place, inline = ("Q", "HHQ", "Q", 8) if big else ("H", "HHI", "I", 4)
    start = (16 if big else 8) + len(body)
    after = start + struct.calcsize(order + count) + (struct.calcsize(order + head) + inline) * len(entries) + inline
    table, values = struct.pack(order + count, len(entries)), b""
    for tag, (kind, numbers) in sorted(entries.items()):
        content = struct.pack(f"{order}{len(numbers)}{ {1: 'B', 3: 'H', 4: 'I', 16: 'Q'}[kind] }", *numbers)
        table += struct.pack(order + head, tag, kind, len(numbers))
        if len(content) <= inline:
            table += content.ljust(inline, b"\0")
        else:
            table += struct.pack(order + place, after + len(values))
            values += content + b"\0" * (len(content) % 2)
    table += struct.pack(order + place, start if following == -1 else following)
    mark = struct.pack(order + "2sH", b"II" if order == "<" else b"MM", 43 if big else 42)
    return (
        mark
        + (struct.pack(order + "HHQ", 8, 0, start) if big else struct.pack(order + "I", start))
        + body
        + table
        + values
    )


def _packed(block: Array, bits: int, order: str) -> bytes:
    if bits == 32:
        return block.astype(order + "f4").tobytes()
    if bits == 16:
        return block.astype(order + "u2").tobytes()
    if bits == 8:
        return block.astype(np.uint8).tobytes()
    flat = block.reshape(block.shape[0], -1, 1).astype(np.uint8)
    return np.packbits(np.unpackbits(flat, axis=2)[..., 8 - bits :].reshape(block.shape[0], -1), axis=1).tobytes()


def bmp(pixels: bytes, width: int, height: int, bits: int, *, compression: int = 0, masks: bytes = b"") -> bytes:
    """A BMP of BITMAPINFOHEADER, or of BITMAPV4HEADER where `masks` are four."""
    header = 108 if len(masks) == 16 else 40
    info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(pixels), 0, 0, 0, 0)
    info += masks + (b"BGRs" + bytes(48) if header == 108 else b"")
    return b"BM" + struct.pack("<IHHI", 14 + len(info) + len(pixels), 0, 0, 14 + len(info)) + info + pixels


def bmp_of_runs(indices: Array, palette: Array, bits: int = 8, end: bytes = b"\0\1") -> bytes:
    """A BMP of run lengths: UINT8 [H,W] of places in `palette`, UINT8 [N,3]. `end` follows its last row."""
    runs = bytearray()
    for row in indices[::-1]:
        starts = [0, *(np.flatnonzero(np.diff(row)) + 1), len(row)]
        for start, stop in itertools.pairwise(starts):
            for first in range(start, stop, 255):
                runs += bytes((min(stop - first, 255), int(row[start]) * (17 if bits == 4 else 1)))
        runs += b"\0\0"
    table = b"".join(bytes((int(b), int(g), int(r), 0)) for r, g, b in palette)
    data = bytearray(
        bmp(table + bytes(runs) + end, indices.shape[1], indices.shape[0], bits, compression=1 if bits == 8 else 2)
    )
    struct.pack_into("<I", data, 10, 54 + len(table))
    struct.pack_into("<I", data, 34, len(runs) + len(end))
    struct.pack_into("<I", data, 46, len(palette))
    return bytes(data)


def gif(width: int, height: int, *frames: bytes) -> bytes:
    """A GIF with a palette of white and black, and `frames` as they are."""
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\xff\xff\xff\0\0\0" + b"".join(frames) + b";"
    )


def gif_frame(width: int, height: int, x: int = 0, y: int = 0, index: int = 1) -> bytes:
    """A frame of one colour, LZW-coded without compression: a clear code before every pair of pixels."""
    codes = [code for start in range(0, width * height, 2) for code in (4, *([index] * min(2, width * height - start)))]
    bits = sum(code << 3 * i for i, code in enumerate([*codes, 5]))
    data = bits.to_bytes(-(-3 * (len(codes) + 1) // 8), "little")
    pieces = b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255))
    return struct.pack("<BHHHHB", 0x2C, x, y, width, height, 0) + b"\2" + pieces + b"\0"


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
