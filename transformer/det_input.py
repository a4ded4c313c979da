"""The image as the detection network takes it: scaled to the limit, both sides on the network's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from ppocr.contract import DetFacts
from transformer.parameters import Parameters

if TYPE_CHECKING:
    from ppocr.contract import U8


def det_size(height: int, width: int, facts: DetFacts, parameters: Parameters) -> tuple[int, int]:
    """(h, w) of the network's input, after PaddleOCR's DetResizeForTest.

    `max` shrinks an image whose longer side is over the limit; `min` grows one whose shorter side is under it. Whatever
    comes out is shrunk once more to `facts.max_side_len`, and each side goes to the nearest multiple of `facts.stride`,
    at least one. Sides are rounded apart, so the aspect ratio may change a little: boxes are scaled back side by side.
    """
    limit = parameters.text_det_limit_side_len or facts.limit_side_len
    if (parameters.text_det_limit_type or facts.limit_type) == "max":
        ratio = min(1.0, limit / max(height, width))
    else:
        ratio = max(1.0, limit / min(height, width))
    ratio = min(ratio, facts.max_side_len / max(height, width))
    return _on_grid(height * ratio, facts.stride), _on_grid(width * ratio, facts.stride)


def det_input(image: U8, facts: DetFacts, parameters: Parameters) -> U8:
    """`image` U8 [H,W,3] → U8 [h,w,3], h and w multiples of `facts.stride`. The image itself where its size fits."""
    height, width = image.shape[:2]
    h, w = det_size(height, width, facts, parameters)
    if (h, w) == (height, width):
        return image
    return cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _on_grid(length: float, stride: int) -> int:
    return max(round(int(length) / stride) * stride, stride)
