"""WebP: checks the chunks of the RIFF container (RFC 9649). The decoder sees only the first picture and its alpha."""

from __future__ import annotations

import struct

from transformer.images import exif
from transformer.images.limits import ImageLimits
from transformer.images.source import MAX_BLOCKS, Source, check_not_empty, damaged, peak_memory, truncated

_ALPHA_FLAG = 0x10
_FRAME_HEAD = 24  # name, length, place, size, duration and flags of an ANMF chunk


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise truncated("WebP", f"it declares {size + 8:,} bytes and has {len(data):,}")
    chunks = _chunks(data[: size + 8])
    canvas = _canvas_size(chunks[b"VP8X"]) if b"VP8X" in chunks else None
    if canvas is not None:
        limits.check_size(*canvas)
    orientation = exif.orientation(chunks[b"EXIF"][8:]) if b"EXIF" in chunks else 1
    place = (0, 0)
    animated = b"ANMF" in chunks
    if animated:
        frame = chunks[b"ANMF"]
        if canvas is None or len(frame) < _FRAME_HEAD:
            raise damaged("WebP", "its first frame has no place in a canvas")
        place = 2 * _u24_at(frame, 8), 2 * _u24_at(frame, 11)
        chunks = _chunks(frame, _FRAME_HEAD)
    picture, alpha, width, height = _picture(chunks)
    limits.check_size(width, height)
    canvas = canvas or (width, height)
    if place[0] + width > canvas[0] or place[1] + height > canvas[1] or (not animated and canvas != (width, height)):
        raise damaged("WebP", "its canvas and its picture differ in size")
    page = None if canvas == (width, height) else (*canvas, *place)
    parts = [picture]
    if alpha is not None:
        extended = struct.pack("<4sIB3x", b"VP8X", 10, _ALPHA_FLAG) + _u24(width - 1) + _u24(height - 1)
        parts = [memoryview(extended), alpha, picture]
    body = b"".join((part if len(part) % 2 == 0 else bytes(part) + b"\0") for part in parts)
    file = struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WEBP") + body
    transparent = alpha is not None or (bytes(picture[:4]) == b"VP8L" and bool(picture[12] & _ALPHA_FLAG))
    memory = peak_memory(width * height, 4, orientation) + (6 * canvas[0] * canvas[1] if page else 0)
    return Source("WebP", file, width, height, memory, orientation, "straight" if transparent else "none", canvas=page)


def _picture(chunks: dict[bytes, memoryview]) -> tuple[memoryview, memoryview | None, int, int]:
    """The chunk of the picture, the chunk of its alpha if there is one, and the picture's width and height."""
    if b"VP8 " in chunks:
        return chunks[b"VP8 "], chunks.get(b"ALPH"), *_lossy_size(chunks[b"VP8 "])
    if b"VP8L" in chunks:
        return chunks[b"VP8L"], None, *_lossless_size(chunks[b"VP8L"])
    raise truncated("WebP", "it has no picture (VP8 or VP8L)")


def _chunks(data: memoryview, position: int = 12) -> dict[bytes, memoryview]:
    """The first chunk of each name from `position` on, with its eight bytes of name and length."""
    found: dict[bytes, memoryview] = {}
    for _ in range(MAX_BLOCKS):
        if position >= len(data):
            return found
        if position + 8 > len(data):
            raise truncated("WebP", "it ends inside the header of a chunk")
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
        raise damaged("WebP", "its lossless picture has no signature")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _canvas_size(chunk: memoryview) -> tuple[int, int]:
    if len(chunk) < 18:
        raise truncated("WebP", "its VP8X chunk is too short")
    return _u24_at(chunk, 12) + 1, _u24_at(chunk, 15) + 1


def _u24_at(data: memoryview, position: int) -> int:
    return int.from_bytes(data[position : position + 3], "little")


def _u24(number: int) -> bytes:
    return number.to_bytes(3, "little")
