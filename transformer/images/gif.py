"""GIF: checks the first frame and makes it a file of its own (GIF89a, 18 to 26). Later frames are ignored."""

from __future__ import annotations

import struct

from transformer.images.limits import ImageLimits
from transformer.images.source import MAX_BLOCKS, Source, check_not_empty, damaged, pillow_memory, truncated

_EXTENSION, _IMAGE, _TRAILER, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9
#: 64 MiB in full sub-blocks of 255 bytes are 263,173; shorter ones would only cost time.
_MAX_SUB_BLOCKS = 300_000


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    if len(data) < 13:
        raise truncated("GIF", f"it has {len(data)} bytes")
    canvas_width, canvas_height, flags = struct.unpack_from("<HHB", data, 6)
    limits.check_size(canvas_width, canvas_height)
    position = 13 + _table_bytes(flags)
    control = b""
    for _ in range(MAX_BLOCKS):
        if position + 2 > len(data):
            raise truncated("GIF", "it ends before its first frame")
        kind = data[position]
        if kind == _IMAGE:
            break
        if kind == _TRAILER:
            raise damaged("GIF", "it has no frame")
        if kind != _EXTENSION:
            raise damaged("GIF", f"a block of unknown kind {kind:#04x} comes before its first frame")
        end = _after_sub_blocks(data, position + 2)
        if data[position + 1] == _CONTROL and end - position == 8:
            control = bytes(data[position:end])
        position = end
    else:
        raise damaged("GIF", f"it has more than {MAX_BLOCKS:,} blocks before its first frame")
    if position + 11 > len(data):
        raise truncated("GIF", "it ends inside its first frame")
    x, y, width, height, frame_flags = struct.unpack_from("<HHHHB", data, position + 1)
    check_not_empty("GIF", width, height)
    if not (flags | frame_flags) & 0x80:
        raise damaged("GIF", "it has no colour table")
    # Viewers widen a canvas that is too small for its frame, and encoders rely on it.
    canvas_width, canvas_height = max(canvas_width, x + width), max(canvas_height, y + height)
    limits.check_size(canvas_width, canvas_height)
    pixels = position + 10 + _table_bytes(frame_flags)
    end = _after_sub_blocks(data, pixels + 1)
    if end >= len(data):
        raise truncated("GIF", "it ends after its first frame, without a trailer")
    file = b"".join(
        (
            b"GIF89a",
            struct.pack("<HH", width, height),
            data[10:11],
            b"\0\0",
            data[13 : 13 + _table_bytes(flags)],
            control,
            struct.pack("<BHHHHB", _IMAGE, 0, 0, width, height, frame_flags),
            data[position + 10 : end],
            bytes([_TRAILER]),
        )
    )
    page = None if (canvas_width, canvas_height) == (width, height) else (canvas_width, canvas_height, x, y)
    memory = pillow_memory(width * height, 1, 1, len(file)) + (3 * canvas_width * canvas_height if page else 0)
    return Source("GIF", file, width, height, memory, canvas=page)


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_sub_blocks(data: memoryview, position: int) -> int:
    try:
        for _ in range(_MAX_SUB_BLOCKS):
            size = data[position]
            position += 1 + size
            if size == 0:
                return position
    except IndexError:
        raise truncated("GIF", "it ends inside a block of data") from None
    raise damaged("GIF", f"a block of data has more than {_MAX_SUB_BLOCKS:,} pieces")
