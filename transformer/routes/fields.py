"""The fields of a body in application/x-www-form-urlencoded: HTML forms without files, and the default of many HTTP libraries.

An image in it is base64, whose "+" many programs forget to escape: in a long value it stands for itself, and not for a space.
"""

from __future__ import annotations

import binascii
import re
from typing import Final
from urllib.parse import unquote_plus

from ppocr_api.errors import InvalidRequest
from transformer.routes.first_bytes import is_base64
from transformer.routes.form import MAX_PARTS, Part

URLENCODED: Final = "application/x-www-form-urlencoded"
#: Longest value that may be a parameter, in bytes.
MAX_TEXT: Final = 1000
_BEGINS: Final = re.compile(rb"[\w.%\[\]-]{1,100}=")
#: Bytes that show whether a value begins like base64, escaped.
_HEAD: Final = 64
#: "%" for "=" and the other way round; and back if no "=" is a sign any more.
_SWAPPED: Final = bytes.maketrans(b"%=", b"=%")
_BACK: Final = bytes.maketrans(b"%", b"=")


def is_fields(body: bytes) -> bool:
    """Whether a body begins like a field: base64 has its "=" at the end, after more characters than a name may have."""
    return _BEGINS.match(body) is not None


def fields_of(body: bytes) -> list[Part]:
    """The fields of `body`, in their order. Raises InvalidRequest for more of them than a form may have."""
    if body.count(b"&") >= MAX_PARTS - 1:
        raise InvalidRequest(f"the form has too many fields; the maximum is {MAX_PARTS - 1}")
    parts: list[Part] = []
    start = 0
    while start < len(body):  # one after the other: split() would hold a copy of all values at once
        end = body.find(b"&", start)
        end = len(body) if end < 0 else end
        if end > start:
            equals = body.find(b"=", start, end)
            equals = end if equals < 0 else equals
            name = _unquoted(body[start : min(equals, start + MAX_TEXT)]).decode("utf-8", "replace")
            parts.append(Part(name, data=_value(body[equals + 1 : end])))
        start = end + 1
    return parts


def _value(value: bytes) -> memoryview:
    if len(value) > MAX_TEXT or is_base64(_unquoted(value[:_HEAD])):
        return memoryview(_of_base64(value))
    return memoryview(_unquoted(value))


def _unquoted(text: bytes) -> bytes:
    return unquote_plus(text.decode("latin-1"), "latin-1").encode("latin-1")


def _of_base64(value: bytes) -> bytes:
    """Escapes are those of quoted-printable with another sign. Its decoder takes a byte for a byte, and the same time for bytes
    that were made to take long; urllib's makes a piece of memory of each escape."""
    if b"%" not in value:
        return value
    value = value.translate(_SWAPPED)
    value = binascii.a2b_qp(value)
    return value.translate(_BACK)
