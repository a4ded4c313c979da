"""Recognises the format of a file by its content, because its name and content type are only claims of the sender."""

from __future__ import annotations

from collections.abc import Callable

from ppocr_api.errors import NotAnImage
from transformer.images import bmp, gif, heif, jpeg, jpeg2000, png, tiff, webp
from transformer.images.brand import brand
from transformer.images.limits import ImageLimits
from transformer.images.source import Source

Reader = Callable[[memoryview, ImageLimits], Source]

_READ: tuple[tuple[bytes, str, Reader], ...] = (
    (b"\xff\xd8\xff", "JPEG", jpeg.read),
    (b"\x89PNG\r\n\x1a\n", "PNG", png.read),
    (b"GIF87a", "GIF", gif.read),
    (b"GIF89a", "GIF", gif.read),
    (b"II*\0", "TIFF", tiff.read),
    (b"MM\0*", "TIFF", tiff.read),
    (b"II+\0", "TIFF", tiff.read),
    (b"MM\0+", "TIFF", tiff.read),
    (b"BM", "BMP", bmp.read),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000", jpeg2000.read),
    (b"\xff\x4f\xff\x51", "JPEG 2000", jpeg2000.read),
)

#: Recognised only so that the error can say what was sent; none of these reaches a decoder.
_KNOWN: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip data"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"8BPS", "a Photoshop document"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"v/1\x01", "an OpenEXR image"),
    (b"#?RADIANCE", "a Radiance image"),
    (b"data:", "a data URL (send the base64 after its comma, or the bytes themselves)"),
    (b"/9j/", "base64 text, encoded once too often"),
    (b"iVBORw0KGgo", "base64 text, encoded once too often"),
)
#: The supported formats.
READABLE = ("JPEG", "PNG", "GIF", "WebP", "TIFF", "BMP", "JPEG 2000", "AVIF", "HEIC")


def is_image(data: bytes | memoryview) -> bool:
    """Whether the bytes begin like a file of a supported format."""
    return _found(data) is not None


def reader_of(data: memoryview) -> tuple[str, Reader]:
    """The format's name and its reader. Raises NotAnImage if the bytes aren't in a supported format."""
    known = _found(data)
    if known is not None:
        return known
    head = bytes(data[:16])
    if not head:
        raise NotAnImage("the image is empty: no bytes were sent")
    found = next((name for magic, name in _KNOWN if head.startswith(magic)), None)
    if head[4:8] == b"ftyp":
        found = "a video, or an image with an unusual codec"
    if found is None:
        found = f"of no known format (it begins with {head[:8].hex(' ')})"
    raise NotAnImage(
        f"not an image in a supported format: it is {found}; expected {', '.join(READABLE[:-1])} or {READABLE[-1]}"
    )


def _found(data: bytes | memoryview) -> tuple[str, Reader] | None:
    head = bytes(data[:16])
    for magic, name, read in _READ:
        if head.startswith(magic):
            return name, read
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP", webp.read
    coded = brand(data)
    return None if coded is None else (coded, heif.read)
