"""Decodes image files to RGB pixels. A decoder only gets files that a reader of this package has checked."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np

from transformer.images import by_pillow, exif, flatten, formats
from transformer.images.limits import ImageLimits
from transformer.images.source import Source, damaged, truncated

if TYPE_CHECKING:
    from ppocr.contract import U8

# The decoders' complaints about hostile files would fill the log; the caller gets an error message instead.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_RGB = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
_DEFAULT_LIMITS = ImageLimits()


def decode(data: bytes | memoryview, limits: ImageLimits = _DEFAULT_LIMITS) -> U8:
    """Decodes an image file (its first page or frame) as a viewer shows it, on paper on which its text is visible.

    Args:
        data: the file's bytes, from which the format is recognised.
        limits: largest file and picture.

    Returns:
        UINT8 [H,W,3], RGB, C-contiguous, turned upright.

    Raises:
        InvalidImage: not an image, truncated, damaged, or of a kind that is refused.
        ImageTooLarge: over one of the limits; nothing was decoded.
    """
    return pixels(inspect(data, limits))


def inspect(data: bytes | memoryview, limits: ImageLimits = _DEFAULT_LIMITS) -> Source:
    """The first half of `decode`: checks the file's structure and size, at almost no cost. Raises as `decode`."""
    view = memoryview(data).cast("B")
    limits.check_bytes(len(view))
    name, read = formats.reader_of(view)
    try:
        source = read(view, limits)
    except (struct.error, IndexError) as error:
        raise truncated(name, "it ends inside a header") from error
    limits.check_memory(source.memory)
    return source


def pixels(source: Source) -> U8:
    """The second half of `decode`: UINT8 [H,W,3] of a checked file. Raises InvalidImage if its pixels are damaged."""
    return exif.upright(_pixels(source), source.orientation)


def _pixels(source: Source) -> U8:
    if source.format in by_pillow.FORMATS:
        image = by_pillow.pixels(source)
    elif source.alpha == "none" and not source.deep and source.transparent_grey is None:
        image = _imdecode(source, _RGB)
    elif source.transparent_grey is not None:
        image = flatten.grey_key(_imdecode(source, cv2.IMREAD_UNCHANGED), source.transparent_grey)
    else:
        image = flatten.on_paper(_imdecode(source, cv2.IMREAD_UNCHANGED), source.alpha)
    if source.canvas is not None:
        width, height, x, y = source.canvas
        page = np.full((height, width, 3), 255, np.uint8)
        page[y : y + source.height, x : x + source.width] = image
        image = page
    return image


def _imdecode(source: Source, flags: int) -> U8:
    try:
        image = cv2.imdecode(np.frombuffer(source.data, np.uint8), flags)
    except cv2.error as error:
        raise damaged(source.format, "its pixels can't be decoded") from error
    if image is None:
        raise damaged(source.format, "its pixels can't be decoded")
    if image.shape[:2] != (source.height, source.width):
        raise damaged(source.format, "its pixels don't fill the size in its header")
    return image  # type: ignore[return-value]
