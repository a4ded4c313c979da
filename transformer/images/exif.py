"""EXIF orientation: where it is written, and how it is undone.

Tag 274 of IFD0 (TIFF 6.0, page 36; CIPA DC-008, 4.6.4 A). Damaged EXIF is ignored, as in every viewer: it is only a hint.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2

if TYPE_CHECKING:
    from ppocr.contract import U8

ORIENTATION = 274
_SHORT = 3
_MAX_ENTRIES = 512


def orientation(block: bytes | memoryview) -> int:
    """Orientation 1 to 8 of an EXIF block, with or without the `Exif\\0\\0` before it; 1 if it has none."""
    block = memoryview(block)
    if bytes(block[:4]) == b"Exif":
        block = block[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for entry in range(min(count, _MAX_ENTRIES)):
            tag, kind, values, value = struct.unpack_from(order + "HHIH", block, start + 2 + 12 * entry)
            if (tag, kind, values) == (ORIENTATION, _SHORT, 1):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def upright(image: U8, orientation: int) -> U8:
    """Turns UINT8 [H,W,C] as stored into what a viewer shows; 5 to 8 swap the sides. 1 returns `image` itself."""
    if orientation in (5, 6, 7, 8):
        image = cv2.transpose(image)  # type: ignore[assignment]
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    if flip is not None:
        image = cv2.flip(image, flip)  # type: ignore[assignment]
    return image
