"""WebP: the chunks of its RIFF container (RFC 9649). The decoder sees the picture and its alpha alone."""

from __future__ import annotations

import struct

from transformer.images import exif
from transformer.images.limits import ImageLimits
from transformer.images.source import MAX_BLOCKS, Source, check_not_empty, damaged, peak_memory, refused, truncated

_ALPHA_FLAG = 0x10


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise truncated("WebP", f"it declares {size + 8:,} bytes and has {len(data):,}")
    chunks = _chunks(data[: size + 8])
    if b"ANIM" in chunks or b"ANMF" in chunks:
        raise refused("an animated WebP", "a WebP of one picture")
    if b"VP8 " in chunks:
        picture = chunks[b"VP8 "]
        width, height = _lossy_size(picture)
        alpha = chunks.get(b"ALPH")
    elif b"VP8L" in chunks:
        picture = chunks[b"VP8L"]
        width, height = _lossless_size(picture)
        alpha = None
    else:
        raise truncated("WebP", "it has no picture (VP8 or VP8L)")
    limits.check_size(width, height)
    if b"VP8X" in chunks and _canvas_size(chunks[b"VP8X"]) != (width, height):
        raise damaged("WebP", "its canvas and its picture differ in size")
    parts = [picture]
    if alpha is not None:
        canvas = struct.pack("<4sIB3x", b"VP8X", 10, _ALPHA_FLAG) + _u24(width - 1) + _u24(height - 1)
        parts = [memoryview(canvas), alpha, picture]
    body = b"".join((part if len(part) % 2 == 0 else bytes(part) + b"\0") for part in parts)
    file = struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WEBP") + body
    orientation = exif.orientation(chunks[b"EXIF"][8:]) if b"EXIF" in chunks else 1
    transparent = alpha is not None or (bytes(picture[:4]) == b"VP8L" and bool(picture[12] & _ALPHA_FLAG))
    memory = peak_memory(width * height, 4, orientation)
    return Source("WebP", file, width, height, memory, orientation, "straight" if transparent else "none")


def _chunks(data: memoryview) -> dict[bytes, memoryview]:
    """The first chunk of each name, with its eight bytes of name and length."""
    found: dict[bytes, memoryview] = {}
    position = 12
    for _ in range(MAX_BLOCKS):
        if position >= len(data):
            return found
        if position + 8 > len(data):
            raise truncated("WebP", "it ends inside the head of a chunk")
        name, size = struct.unpack_from("<4sI", data, position)
        left = len(data) - position - 8
        if size > left:
            raise truncated("WebP", f"a chunk declares {size:,} bytes, and {left:,} are left")
        found.setdefault(name, data[position : position + 8 + size])
        position += 8 + size + size % 2
    raise damaged("WebP", f"it has more than {MAX_BLOCKS:,} chunks")


def _lossy_size(chunk: memoryview) -> tuple[int, int]:
    if len(chunk) < 18:
        raise truncated("WebP", "its picture ends in its header")
    if chunk[8] & 1 or bytes(chunk[11:14]) != b"\x9d\x01\x2a":
        raise damaged("WebP", "its picture doesn't begin with a key frame")
    width, height = struct.unpack_from("<HH", chunk, 14)
    width, height = width & 0x3FFF, height & 0x3FFF
    check_not_empty("WebP", width, height)
    return width, height


def _lossless_size(chunk: memoryview) -> tuple[int, int]:
    if len(chunk) < 13:
        raise truncated("WebP", "its picture ends in its header")
    mark, bits = struct.unpack_from("<BI", chunk, 8)
    if mark != 0x2F:
        raise damaged("WebP", "its lossless picture lacks its mark")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _canvas_size(chunk: memoryview) -> tuple[int, int]:
    if len(chunk) < 18:
        raise truncated("WebP", "its VP8X chunk is short")
    return int.from_bytes(chunk[12:15], "little") + 1, int.from_bytes(chunk[15:18], "little") + 1


def _u24(number: int) -> bytes:
    return number.to_bytes(3, "little")
