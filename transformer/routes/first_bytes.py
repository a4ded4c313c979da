"""Recognises bodies by their first bytes, because clients send images and JSON with arbitrary content types."""

from __future__ import annotations

from typing import Final

from transformer.images.formats import is_image

__all__ = ["BOM", "UNSPECIFIC_TYPES", "is_base64", "is_image", "is_json"]

#: What some editors and shells write in front of UTF-8.
BOM: Final = b"\xef\xbb\xbf"

#: Content types that say nothing of the body: none at all, what curl and old scripts send by themselves, and plain bytes.
UNSPECIFIC_TYPES: Final = (
    "",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "binary/octet-stream",
    "text/plain",
)


def is_json(body: bytes) -> bool:
    """Whether it begins like a JSON object or list."""
    return body[:64].removeprefix(BOM).lstrip()[:1] in (b"{", b"[")


def is_base64(data: bytes | memoryview) -> bool:
    """Whether it begins like the base64 of an image: a data URL, JPEG, PNG."""
    return bytes(data[:11]).startswith((b"data:", b"/9j/", b"iVBORw0KGgo"))
