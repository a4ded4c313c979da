"""Files made by hand to mislead a decoder: heads that lie, and what hides behind a small picture."""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np
from PIL import Image

from tests.transformer.images import files

SMALL = np.zeros((8, 8, 1), np.uint8)
JPEG = files.written("JPEG")
PNG = files.written("PNG")
GIF_FRAME = files.gif_frame(8, 8)


def jpeg_head(width: int, height: int, *, marker: int = 0xC0, precision: int = 8, count: int = 1) -> bytes:
    parts = b"".join(bytes((i + 1, 0x11, 0)) for i in range(count))
    frame = struct.pack(">BBHBHHB", 0xFF, marker, 8 + 3 * count, precision, height, width, count) + parts
    return b"\xff\xd8" + frame


def jpeg_scan(size: int = 0, first: int = 0) -> bytes:
    return b"\xff\xda\0\x08\x01\x01\0" + bytes((first, 63 if first else 0, 0)) + b"\x55" * size


def tiff_tags(**changes: tuple[int, list[int]]) -> dict[int, tuple[int, list[int]]]:
    return {int(name[1:]): value for name, value in changes.items()}


def tiff_of(width: int, height: int, **changes: tuple[int, list[int]]) -> bytes:
    return files.tiff(SMALL, 1, tags={256: (4, [width]), 257: (4, [height]), **tiff_tags(**changes)})


def webp_of(width: int, height: int) -> bytes:
    return files.riff((b"VP8L", struct.pack("<BI", 0x2F, (width - 1) | (height - 1) << 14) + bytes(20)))


def png_with(*chunks: bytes) -> bytes:
    return PNG[:33] + b"".join(chunks) + PNG[33:]


def animated_png(*, damaged: bool = False) -> bytes:
    """With chunks of animation; the damaged one makes OpenCV 4.11 and 4.12 crash."""
    size = 2**31 - 1 if damaged else 8
    control = struct.pack(">IIIIIHHBB", 0, size, size, 0, 0, 1, 1, 0, 0)
    second = files.chunk(b"fdAT", struct.pack(">I", 1) + (b"" if damaged else zlib.compress(bytes(25 * 8))))
    head = files.chunk(b"acTL", struct.pack(">II", 0xFFFFFFFF if damaged else 2, 0))
    first = files.png(
        extra=[head, files.chunk(b"fcTL", control)], rows=b"".join(b"\0" + b"\x50" * 24 for _ in range(8))
    )
    return first[:-12] + files.chunk(b"fcTL", control) + second + first[-12:]


def bigtiff_of(**changes: tuple[int, list[int]]) -> bytes:
    return files.tiff(SMALL, 1, big=True, tags=tiff_tags(**changes))


def jpeg2000_of(
    width: int,
    height: int,
    tile: int = 0,
    components: int = 1,
    block: int = 4,
    precinct: int | None = None,
    layers: int = 1,
) -> bytes:
    """A codestream of a head and one empty tile. `block` and `precinct` are exponents of two; a block's one is lower by two."""
    parts = bytes((7, 1, 1)) * components
    sides = (width, height, 0, 0, tile or width, tile or height, 0, 0)
    size = struct.pack(">HHH8IH", 0xFF51, 38 + len(parts), 0, *sides, components) + parts
    sizes = b"" if precinct is None else bytes([precinct | precinct << 4]) * 2
    coding = struct.pack(">HHBBHBBBBBB", 0xFF52, 12 + len(sizes), bool(sizes), 0, layers, 0, 1, block, block, 0, 1)
    coding += sizes + bytes.fromhex("ff5c00044040")
    return b"\xff\x4f" + size + coding + struct.pack(">HHHIBBH", 0xFF90, 10, 0, 14, 0, 1, 0xFF93) + b"\xff\xd9"


def jpeg2000_with_palette(columns: int) -> bytes:
    """A grey file whose palette makes `columns` samples of each."""
    data = files.save(Image.new("L", (300, 300), 128), "JPEG2000")
    at = data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, at)
    palette = struct.pack(">HB", 1, columns) + b"\7" * columns + b"\x50" * columns
    mapping = b"".join(struct.pack(">HBB", 0, 1, column) for column in range(columns))
    boxes = b"".join(
        struct.pack(">I4s", 8 + len(body), name) + body for name, body in ((b"pclr", palette), (b"cmap", mapping))
    )
    return data[:at] + struct.pack(">I", size + len(boxes)) + data[at + 4 : at + size] + boxes + data[at + size :]


def with_number(data: bytes, box: bytes, place: int, *numbers: int) -> bytes:
    """`data` with numbers of four bytes written over every box of this name, `place` bytes into its content."""
    changed, position = bytearray(data), -1
    while (position := data.find(box, position + 1)) >= 0:
        struct.pack_into(f">{len(numbers)}I", changed, position + 4 + place, *numbers)
    return bytes(changed)


def heic_of_declared(width: int, height: int) -> bytes:
    """A small HEIC file whose boxes are honest, but whose codec header says another size."""
    data = files.written("HEIF", files.picture(64, 64))
    unit = data.index(b"\x42\x01\x01", data.index(b"hvcC"))
    (length,) = struct.unpack_from(">H", data, unit - 2)
    head = data[unit : unit + length].replace(b"\0\0\3", b"\0\0")[:15]  # up to the identifier
    # The identifier, chroma 4:2:0, the size, no crop, depths of 8 bits.
    bits = "1" + golomb(1) + golomb(width) + golomb(height) + "0" + golomb(0) + golomb(0)
    bits += "1" * (-len(bits) % 8)
    changed = head + int(bits, 2).to_bytes(len(bits) // 8, "big")
    changed = re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", changed).ljust(length, b"\xff")
    assert len(changed) == length
    return data[:unit] + changed + data[unit + length :]


def golomb(number: int) -> str:
    digits = format(number + 1, "b")
    return "0" * (len(digits) - 1) + digits


def avif_of_declared(width: int, height: int) -> bytes:
    """A small AVIF file whose boxes are honest, but whose sequence header says another size."""
    data = files.written("AVIF", files.picture(64, 64))
    mdat = data.index(b"mdat") + 4
    start = data.index(b"\x0a", mdat)  # a unit of kind 1 with its length
    length = data[start + 1]
    bits = format(int.from_bytes(data[start + 2 : start + 2 + length], "big"), f"0{8 * length}b")
    assert bits[4] == "1", "the encoder writes the short header"
    after = 18 + int(bits[10:14], 2) + 1 + int(bits[14:18], 2) + 1
    bits = bits[:10] + "1" * 8 + format(width - 1, "016b") + format(height - 1, "016b") + bits[after:]
    bits += "0" * (-len(bits) % 8)
    unit = int(bits, 2).to_bytes(len(bits) // 8, "big")
    before = len(data) - mdat
    after = before + len(unit) - length
    head = data[: mdat - 8].replace(struct.pack(">I", before), struct.pack(">I", after))
    return (
        head
        + struct.pack(">I4s", after + 8, b"mdat")
        + data[mdat : start + 1]
        + bytes([len(unit)])
        + unit
        + data[start + 2 + length :]
    )


def heic_grid_of(rows: int, columns: int, width: int, height: int) -> bytes:
    """A file of tiles whose grid says other numbers."""
    data = files.written("HEIF", files.picture(70, 90), tile_size=64)
    grid = struct.pack(">BBBBHH", 0, 0, 1, 1, 90, 70)
    assert data.count(grid) == 1
    return data.replace(grid, struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height))


def looping_tiff() -> bytes:
    entries = {256: (4, [100_000]), 257: (4, [8]), 262: (3, [1]), 273: (4, [8]), 279: (4, [64])}
    return files.tiff_file(bytes(64), entries, following=-1)
