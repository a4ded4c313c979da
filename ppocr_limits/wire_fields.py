"""Counts the fields of a Protocol Buffers message without parsing it.

A message of 100 MB may hold 50 million empty ones, which a parser turns into gigabytes. What a message declares is counted
here first; bytes and text are passed over, so a message with an image in it costs nothing.
https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from ppocr_api.errors import InvalidRequest

#: Messages, texts and single numbers that one message may hold, and numbers in lists.
MAX_FIELDS = 20_000
MAX_NUMBERS = 4_000_000
#: Bytes of a text that is given back to who sent it.
MAX_TEXT = 4096

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LENGTHS = {_FIXED64: 8, _FIXED32: 4}
_VARINT_BYTES = 10


def check_message(raw: bytes, descriptor: Any) -> None:
    """Raises InvalidRequest for a message of more fields than MAX_FIELDS, or that can't be walked through.

    `descriptor` is that of the message's type (`google.protobuf.descriptor.Descriptor`).
    """
    _Counter().message(memoryview(raw), descriptor)


def text_field(raw: bytes, number: int) -> str:
    """The text in the last field of that number, among the first MAX_FIELDS; "" if there is none that short, or no message."""
    found = b""
    try:
        for known, content in itertools.islice(fields(memoryview(raw)), MAX_FIELDS):
            if known == number and content is not None and len(content) <= MAX_TEXT:
                found = bytes(content)
        return found.decode()
    except (InvalidRequest, UnicodeDecodeError):
        return ""


def fields(view: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """The number of each field in turn, and its content if it is bytes, text, a message or a list of numbers.

    Raises InvalidRequest if the bytes are no message.
    """
    position, end = 0, len(view)
    while position < end:
        key, position = _varint(view, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            _, position = _varint(view, position)
            yield number, None
        elif kind == _BYTES:
            length, position = _varint(view, position)
            if length > end - position:
                raise InvalidRequest("the message ends inside a field")
            yield number, view[position : position + length]
            position += length
        elif kind in _LENGTHS:
            position += _LENGTHS[kind]
            if position > end:
                raise InvalidRequest("the message ends inside a number")
            yield number, None
        else:
            raise InvalidRequest("the bytes are no protobuf message")


class _Counter:
    """Counts through a message and those inside it."""

    def __init__(self) -> None:
        self._fields = 0
        self._numbers = 0

    def message(self, view: memoryview, descriptor: Any) -> None:
        known = descriptor.fields_by_number
        for number, content in fields(view):
            self._fields += 1
            if self._fields > MAX_FIELDS:
                raise InvalidRequest(f"the message has more than {MAX_FIELDS} fields")
            field = known.get(number)
            if content is None or field is None:
                continue
            if field.message_type is not None:
                self.message(content, field.message_type)
            elif field.cpp_type != field.CPPTYPE_STRING:  # numbers in a list, of a byte each at least
                self._numbers += len(content)
                if self._numbers > MAX_NUMBERS:
                    raise InvalidRequest(
                        f"the message has more than {MAX_NUMBERS} numbers in lists: send them as raw contents"
                    )


def _varint(view: memoryview, position: int) -> tuple[int, int]:
    """The number that begins at `position`, and where it ends."""
    value = shift = 0
    for byte in view[position : position + _VARINT_BYTES]:
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7
    raise InvalidRequest("the message ends inside a number")
