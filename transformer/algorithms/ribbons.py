"""Ribbons: the shape of a curved line, and how to straighten it.

A ribbon has an upper and a lower edge with equally many points, in the direction of reading. It is straight between
neighbouring points, so a ribbon with two points per edge is a quadrilateral.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32, U8

    F64 = NDArray[np.float64]

#: BLOCK: pixels that are straightened at a time, because each takes 100 bytes meanwhile. WIDEST: columns at a time, because
#: OpenCV takes no picture that is twice as wide.
BLOCK, WIDEST = 1 << 18, 1 << 14


@dataclass(frozen=True)
class Ribbon:
    """Edges F64 [K,2] on the page, and the length and height in pixels of the straightened ribbon."""

    top: F64
    bottom: F64
    length: int
    height: int

    def straightened(self, image: U8) -> U8:
        """The part of `image` U8 [H,W,3] that it covers, straightened: U8 [height,length,3]."""
        straight = np.empty((self.height, self.length, 3), np.uint8)
        step = min(max(BLOCK // self.height, 1), WIDEST)
        for start in range(0, self.length, step):
            block = straight[:, start : start + step]
            x, y = np.meshgrid(np.arange(block.shape[1]) + start + 0.5, np.arange(self.height) + 0.5)
            block[:] = _sampled(image, self.on_page(np.stack((x, y), axis=-1)) - 0.5)
        return straight

    def on_page(self, points: F64) -> F64:
        """Points F64 […,2] (x, y) of the straightened ribbon as points of the page."""
        stations = np.linspace(0, self.length, len(self.top))
        across = points[..., 1:] / self.height
        top, bottom = (
            np.stack([np.interp(points[..., 0], stations, edge[:, axis]) for axis in (0, 1)], axis=-1)
            for edge in (self.top, self.bottom)
        )
        return top + (bottom - top) * across

    def outline(self, quad: F32) -> F32:
        """The polygon F32 [M,2] on the page of `quad` F32 [4,2] in the straightened ribbon, beginning at its first corner."""
        corners = quad.astype(np.float64)
        count = max(2, round(np.ptp(corners[:, 0]) / self.length * (len(self.top) - 1)) + 1)
        share = np.linspace(0, 1, count)[:, None]
        upper = corners[0] + (corners[1] - corners[0]) * share
        lower = corners[2] + (corners[3] - corners[2]) * share
        return self.on_page(np.concatenate((upper, lower))).astype(np.float32)

    @property
    def around(self) -> F32:
        """The level rectangle around it on the page, F32 [4,2]."""
        points = np.concatenate((self.top, self.bottom))
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return np.array(((left, top), (right, top), (right, bottom), (left, bottom)), np.float32)


def along(centres: F64, half: float) -> Ribbon:
    """The ribbon that reaches `half` pixels to both sides of the line through `centres` F64 [K,2], which are equally spaced."""
    tangents = np.gradient(centres, axis=0)
    tangents /= np.maximum(np.hypot(*tangents.T), 1e-9)[:, None]
    # Clockwise from the direction of reading is down.
    normals = np.stack((-tangents[:, 1], tangents[:, 0]), axis=1)
    length = np.hypot(*np.diff(centres, axis=0).T).sum()
    return Ribbon(
        centres - half * normals, centres + half * normals, max(round(float(length)), 1), max(round(2 * half), 1)
    )


def _sampled(image: U8, places: F64) -> U8:
    """The pixels of `image` U8 [H,W,3] at `places` F64 [h,w,2] (x, y): U8 [h,w,3]."""
    height, width = image.shape[:2]
    # The rectangle around the places, and a pixel more for the interpolation.
    low = (np.floor(places.min(axis=(0, 1))) - 1).clip(0, (width - 1, height - 1)).astype(int)
    high = np.maximum((np.ceil(places.max(axis=(0, 1))) + 2).clip(1, (width, height)).astype(int), low + 1)
    part = image[low[1] : high[1], low[0] : high[0]]
    return np.asarray(
        cv2.remap(part, (places - low).astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),  # type: ignore[call-overload]
        np.uint8,
    )
