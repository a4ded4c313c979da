"""Protocol Buffers' wire format, as far as Paddle's framework.proto needs it.

https://protobuf.dev/programming-guides/encoding; the messages are those of paddle/fluid/framework/framework.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ppocr_api.errors import BundleError

Value = int | bytes
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Message:
    """The fields of one message, by number."""

    def __init__(self, data: bytes) -> None:
        self._fields: dict[int, list[Value]] = {}
        for number, value in _fields(data):
            self._fields.setdefault(number, []).append(value)

    def messages(self, number: int) -> list[Message]:
        return [Message(value) for value in self._raw(number)]

    def message(self, number: int) -> Message:
        """The last one; an empty message where there is none."""
        return (self.messages(number) or [Message(b"")])[-1]

    def text(self, number: int) -> str:
        return (self.texts(number) or [""])[-1]

    def texts(self, number: int) -> list[str]:
        try:
            return [value.decode() for value in self._raw(number)]
        except UnicodeDecodeError as error:
            raise BundleError("the Paddle program is damaged: a name in it is not text") from error

    def integer(self, number: int, default: int = 0) -> int:
        return (self.integers(number) or [default])[-1]

    def integers(self, number: int) -> list[int]:
        """Signed; written one by one, or packed."""
        found: list[int] = []
        for value in self._fields.get(number, []):
            if isinstance(value, int):
                found.append(_signed(value))
                continue
            place = 0
            while place < len(value):
                raw, place = _varint(value, place)
                found.append(_signed(raw))
        return found

    def floats(self, number: int) -> list[float]:
        return [item[0] for value in self._fixed(number) for item in struct.iter_unpack("<f", value)]

    def doubles(self, number: int) -> list[float]:
        return [item[0] for value in self._fixed(number) for item in struct.iter_unpack("<d", value)]

    def has(self, number: int) -> bool:
        return number in self._fields

    def _raw(self, number: int) -> list[bytes]:
        return [value for value in self._fields.get(number, []) if isinstance(value, bytes)]

    _fixed = _raw


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == _BYTES:
            size, place = _varint(data, place)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise BundleError("the Paddle program is damaged: it is not a Protocol Buffers message")
        if place + size > len(data):
            raise BundleError("the Paddle program is cut off: a field goes on beyond its end")
        yield number, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise BundleError("the Paddle program is cut off or is no Protocol Buffers message")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
