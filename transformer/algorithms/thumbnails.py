"""Scales pages and lines to the fixed input size of an orientation network.

The network's parameter `fit` says how:

- `stretch`: each side is scaled to its size.
- `pad`: the height is scaled and the ratio kept; the rest on the right is filled with the grey `fill`, and a line that is
  too long is squeezed (`resize_norm_img` of PaddleOCR's cls).
- `crop`: the short side is scaled to `short_side`, and the middle is cut out (PaddleX's doc_ori).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ppocr.contract import NetworkFacts
from ppocr_api.errors import BundleError
from transformer.algorithms.crops import check_pixels, cut, upright

if TYPE_CHECKING:
    from ppocr.contract import F32, U8


def line_thumbnails(image: U8, boxes: F32, network: NetworkFacts, max_pixels: int) -> U8:
    """The lines of `boxes` F32 [N,4,2] as U8 [N,h,w,3].

    Raises InvalidImage if they have more than `max_pixels` in all, BundleError if the network's parameters are wrong.
    """
    corners, along, across = upright(boxes)
    height, width = _size(network)
    check_pixels(len(boxes), len(boxes) * height * width, max_pixels)
    widths = np.full(len(boxes), width, np.int32)
    everything = np.arange(len(boxes))
    fit = _fit(network, ("stretch", "pad"))
    if fit == "pad":
        natural = np.ceil(along * height / np.maximum(across, 1.0))
        widths = np.clip(natural, 1, width).astype(np.int32)
    pixels = cut(image, corners, across, height, widths, everything, max_pixels)
    if fit == "stretch":
        return pixels.reshape(-1, height, width, 3)
    padded = np.full((len(boxes), height, width, 3), _number(network, "fill"), np.uint8)
    start = 0
    for index, own in enumerate(widths.tolist()):
        end = start + height * own * 3
        padded[index, :, :own] = pixels[start:end].reshape(height, own, 3)
        start = end
    return padded


def page_thumbnail(image: U8, network: NetworkFacts) -> U8:
    """`image` U8 [H,W,3] as U8 [h,w,3]. Raises BundleError if the network's parameters are wrong."""
    height, width = _size(network)
    if _fit(network, ("stretch", "crop")) == "stretch":
        return _resized(image, height, width)
    ratio = _number(network, "short_side") / min(image.shape[:2])
    # Long pages are cut before they are scaled: only the middle is wanted.
    middle = _centre(image, round(height / ratio), round(width / ratio))
    return _resized(middle, height, width)


def _resized(image: U8, height: int, width: int) -> U8:
    smaller = height * width < image.shape[0] * image.shape[1]
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=interpolation)  # type: ignore[return-value]


def _centre(image: U8, height: int, width: int) -> U8:
    y, x = max(0, (image.shape[0] - height) // 2), max(0, (image.shape[1] - width) // 2)
    return np.ascontiguousarray(image[y : y + max(1, height), x : x + max(1, width)])


def _size(network: NetworkFacts) -> tuple[int, int]:
    return network.grid.height.minimum, network.grid.width.minimum


def _fit(network: NetworkFacts, known: tuple[str, ...]) -> str:
    fit = network.parameters.get("fit")
    if fit not in known:
        raise BundleError(f"the parameter fit of {network.name} must be one of {', '.join(known)}")
    return str(fit)


def _number(network: NetworkFacts, name: str) -> int:
    value = network.parameters.get(name)
    if type(value) is not int or not 0 <= value <= 10_000:
        raise BundleError(f"the parameter {name} of {network.name} must be a whole number from 0 to 10,000")
    return value
