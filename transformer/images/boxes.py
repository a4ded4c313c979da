"""Boxes of the ISO base media file format, of which HEIC, AVIF and JPEG 2000 files consist (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from transformer.images.source import MAX_BLOCKS, damaged, truncated


@dataclass(frozen=True)
class Box:
    """A box of the file: its header begins at byte `at`, and its content is bytes `start` to `end`."""

    name: bytes
    at: int
    start: int
    end: int


class Cursor:
    """Reads big-endian numbers one after another. Raises IndexError at the end."""

    def __init__(self, data: memoryview, position: int) -> None:
        self._data, self._position = data, position

    def read(self, size: int) -> int:
        """The next number, of `size` bytes; 0 if `size` is 0."""
        end = self._position + size
        if end > len(self._data):
            raise IndexError
        number = int.from_bytes(self._data[self._position : end], "big")
        self._position = end
        return number


def boxes(data: memoryview, start: int, end: int, format: str) -> list[Box]:
    """The boxes that fill `data` from `start` to `end`. Raises InvalidImage if they don't."""
    found: list[Box] = []
    while start < end:
        if len(found) == MAX_BLOCKS:
            raise damaged(format, f"it has more than {MAX_BLOCKS:,} boxes")
        if start + 8 > end:
            raise truncated(format, "it ends inside the header of a box")
        size, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif size == 0:
            size = end - start
        if size < head:
            raise damaged(format, f"a box declares {size:,} bytes")
        if size > end - start:
            raise truncated(format, f"a box declares {size:,} bytes, and {end - start:,} are left")
        found.append(Box(name, start, start + head, start + size))
        start += size
    return found


def one(found: list[Box], name: bytes, format: str) -> Box:
    """The only box of this name. Raises InvalidImage if there are none or several."""
    named = [box for box in found if box.name == name]
    if not named:
        raise truncated(format, f"it has no {name.decode()} box")
    if len(named) > 1:
        raise damaged(format, f"it has {len(named)} {name.decode()} boxes")
    return named[0]
