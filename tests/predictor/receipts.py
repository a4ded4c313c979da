"""Receipts of tests/data as the networks take them: pages on the grid, and lines cut out at their labelled boxes.

Nothing here is the transformer's: what the predictor computes is tested without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ppocr.contract import Answer, Grid, Items

if TYPE_CHECKING:
    from ppocr.contract import I32, U8

DATA = Path(__file__).parent.parent / "data"


def image(name: str) -> U8:
    """UINT8 [H,W,3] RGB."""
    read = cv2.imread(str(DATA / f"{name}.jpg"))
    assert read is not None
    return cv2.cvtColor(read, cv2.COLOR_BGR2RGB).astype(np.uint8)


def page(name: str, grid: Grid, side: int = 960) -> U8:
    """The whole receipt, UINT8 [1,H,W,3], its longer side `side` pixels."""
    pixels = image(name)
    scale = side / max(pixels.shape[:2])
    height, width = (
        axis.step * max(1, round(length * scale / axis.step))
        for axis, length in zip((grid.height, grid.width), pixels.shape[:2], strict=True)
    )
    return _resized(pixels, height, width)[None]


def lines(name: str, grid: Grid) -> list[U8]:
    """The lines of a receipt by width, narrowest first: UINT8 [N,height,W,3] each."""
    pixels, height, step = image(name), grid.height.minimum, grid.width.step
    by_width: dict[int, list[U8]] = {}
    for row in (DATA / f"{name}.csv").read_text(encoding="utf-8").splitlines():
        corners = np.array(row.split(",", 8)[:8], int).reshape(4, 2)
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        line = pixels[top:bottom, left:right]
        width = step * max(1, round(line.shape[1] * height / line.shape[0] / step))
        by_width.setdefault(width, []).append(_resized(line, height, width))
    return [np.stack(by_width[width]) for width in sorted(by_width)]


def _resized(pixels: U8, height: int, width: int) -> U8:
    return cv2.resize(pixels, (width, height)).astype(np.uint8)


def items(*blocks: U8) -> Items:
    """Blocks [n,H,W,3], one after the other."""
    sizes = [block.shape[1:3] for block in blocks for _ in block]
    return Items(np.concatenate([block.ravel() for block in blocks]), np.array(sizes, np.int32))


def texts(answer: Answer, labels: tuple[str, ...]) -> list[str]:
    """What a recognition network read: CTC's best path, without the probabilities."""
    return [decoded(ids, labels) for ids in np.split(answer.outputs["ids"], np.cumsum(answer.counts)[:-1])]


def decoded(ids: I32, labels: tuple[str, ...]) -> str:
    """INT32 [T] → text: of a run of equal classes one counts, and blanks none."""
    first = np.concatenate(([True], ids[1:] != ids[:-1]))
    return "".join(labels[label] for label in ids[first].tolist())
