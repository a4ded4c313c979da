"""Draws the result: the image with numbered boxes on the left, the numbered texts on the right.

The texts need a font that has their characters. Pillow and one of the system's fonts draw any script; without them
OpenCV's own font draws ASCII, and `?` for the rest.
"""

from __future__ import annotations

import bisect
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from ppocr.contract import F32, U8

#: Fonts, those with CJK first; the first existing one is used.
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
)
#: Colours of the boxes in turn, so that neighbours differ [RGB].
COLOURS = ((214, 39, 40), (31, 119, 180), (44, 160, 44), (148, 103, 189), (230, 120, 0), (0, 140, 150))
#: A larger image is shrunk to this longer side, a smaller one grown to the second figure [pixels].
LONGEST, SHORTEST = 2400, 800
MARGIN = 12
#: Texts in the list at most; its pixels; and its least and its largest width: longer texts are cut. A page of thousands of lines,
#: or of one with thousands of characters, would take gigabytes otherwise, and no JPEG is that large.
LISTED = 500
PANEL, NARROWEST, WIDEST = 8_000_000, 400, 10_000


def annotate(image: U8, boxes: Sequence[F32], texts: Sequence[str]) -> U8:
    """Draws `boxes`, polygons F32 [K,2], and their `texts` beside a copy of `image` U8 [H,W,3] RGB.

    Returns U8 [H',W',3] RGB, its longer side SHORTEST to LONGEST pixels, unless the list of texts is longer still. Texts that are
    longer than the list is wide are cut.
    """
    side = max(image.shape[:2])
    scale = min(1.0, LONGEST / side) if side >= SHORTEST else SHORTEST / side
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    page = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    listed = [f"{i + 1}  {_printable(text)}" for i, text in enumerate(texts[:LISTED])]
    if len(texts) > LISTED:
        listed.append(f"… {len(texts) - LISTED} more")
    size = int(np.clip(height / (len(listed) + 2) / 1.4, 14, 28))
    page = _with_boxes(page, [box * np.float32(scale) for box in boxes], size)
    panel = _panel(listed, height, size)
    if panel.shape[0] > height:
        page = np.pad(page, ((0, panel.shape[0] - height), (0, 0), (0, 0)), constant_values=255)
    return np.concatenate((page, panel), axis=1)


def _with_boxes(page: U8, boxes: Sequence[F32], size: int) -> U8:
    for i, box in enumerate(boxes):
        colour = COLOURS[i % len(COLOURS)]
        cv2.polylines(page, [np.rint(box).astype(np.int32)], True, colour, 2, cv2.LINE_AA)
        font, text_scale = cv2.FONT_HERSHEY_SIMPLEX, size / 40
        (text_width, text_height), _ = cv2.getTextSize(str(i + 1), font, text_scale, 1)
        x, y = np.rint(box[0]).astype(int).tolist()
        # Left of the box where there is room, else on its corner.
        x = x - text_width - 4 if x > text_width + 4 else x
        y = min(max(y, 0), page.shape[0] - text_height - 4)
        cv2.rectangle(page, (x, y), (x + text_width + 3, y + text_height + 4), colour, cv2.FILLED)
        cv2.putText(page, str(i + 1), (x + 2, y + text_height + 2), font, text_scale, (255, 255, 255), 1, cv2.LINE_AA)
    return page


def _panel(lines: list[str], height: int, size: int) -> U8:
    """The list of texts, U8 [h,w,3] with h ≥ `height`, each in its box's colour."""
    step = round(size * 1.4)
    height = max(height, step * len(lines) + 2 * MARGIN)
    pillow = _pillow(size)
    if pillow is None:
        return _panel_ascii(lines, height, size, step)
    image, draw, font = pillow
    lines, width = _within(lines, _widest(height), font.getlength)
    canvas = image.new("RGB", (width, height), "white")
    pen = draw.Draw(canvas)
    for i, line in enumerate(lines):
        pen.text((MARGIN, MARGIN + i * step), line, fill=COLOURS[i % len(COLOURS)], font=font)
    return np.array(canvas, np.uint8)


def _printable(text: str) -> str:
    """A bundle's characters may be anything, and no font has line ends."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _widest(height: int) -> int:
    return min(max(PANEL // height, NARROWEST), WIDEST)


def _within(lines: list[str], widest: int, length: Callable[[str], float], cut: str = "…") -> tuple[list[str], int]:
    """The lines, cut where they are longer than a panel of `widest` pixels has room for, and the panel's width. `length` is that
    of a text in pixels."""
    room = widest - 2 * MARGIN
    lines = [_cut(line[:widest], room, length, cut) for line in lines]
    return lines, min(max((round(length(line)) for line in lines), default=0) + 2 * MARGIN, widest)


def _cut(line: str, room: int, length: Callable[[str], float], cut: str) -> str:
    if length(line) <= room:
        return line
    fits = bisect.bisect(range(len(line)), False, key=lambda count: length(line[:count] + cut) > room)
    return line[: max(fits - 1, 0)] + cut


def _panel_ascii(lines: list[str], height: int, size: int, step: int) -> U8:
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, size / 30
    lines = [line.replace("…", "...").encode("ascii", "replace").decode() for line in lines]
    lines, width = _within(lines, _widest(height), lambda line: cv2.getTextSize(line, font, scale, 1)[0][0], "...")
    panel = np.full((height, width, 3), 255, np.uint8)
    for i, line in enumerate(lines):
        at = (MARGIN, MARGIN + i * step + size)
        cv2.putText(panel, line, at, font, scale, COLOURS[i % len(COLOURS)], 1, cv2.LINE_AA)
    return panel


def _pillow(size: int) -> tuple[Any, Any, Any] | None:
    """Pillow's Image and ImageDraw modules and a font of `size` pixels, where both Pillow and a font are installed."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        return None
    for path in FONTS:
        if pathlib.Path(path).is_file():
            return Image, ImageDraw, ImageFont.truetype(path, size)
    return None
