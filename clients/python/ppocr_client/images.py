"""Arguments of the clients: images in several forms, and the parameters of a request."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypedDict

from ppocr_api.errors import InvalidImage

#: The bytes of an image file, the path of one, or a binary file opened for reading.
Image = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
)


class ReadParameters(TypedDict, total=False):
    """Parameters of one request; they default to the model's values. docs/api.md lists them."""

    text_det_limit_side_len: int | None
    text_det_limit_type: Literal["max", "min"] | None
    text_det_thresh: float | None
    text_det_box_thresh: float | None
    text_det_unclip_ratio: float | None
    text_rec_score_thresh: float | None
    return_word_box: bool | None
    use_textline_orientation: bool | None
    use_doc_orientation_classify: bool | None
    columns: bool | None
    text_det_box_type: Literal["quad", "poly"] | None


def content(image: Image) -> bytes:
    """The bytes of `image`. Raises InvalidImage if a path can't be read."""
    if isinstance(image, bytes):
        return image
    if isinstance(image, bytearray | memoryview):
        return bytes(image)
    if isinstance(image, str | os.PathLike):
        try:
            return Path(image).read_bytes()
        except OSError as error:
            raise InvalidImage(f"{os.fspath(image)} can't be read: {error.strerror or error}") from error
    return image.read()


def content_type(data: bytes) -> str:
    """The media type by the first bytes. The service looks for itself; proxies and logs use it."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "image/heic"
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    return "image/unknown"


def query(parameters: ReadParameters) -> dict[str, str]:
    """Parameters as a query string's pairs; None means the model's own and is left out."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in parameters.items()
        if value is not None
    }
