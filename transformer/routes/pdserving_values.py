"""The values of the pipeline's answer: a Python list as text, which its clients eval()."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from ppocr_api.document import Page
from transformer.pipeline.plan import Reads


def _points(page: Page) -> list[list[list[float]]]:
    """Whole numbers, written as floats."""
    return [[[float(round(x)), float(round(y))] for x, y in line.points] for line in page.lines]


def _result(page: Page) -> str:
    lines = zip(page.lines, _points(page), strict=True)
    return str([[(line.text, line.confidence), points] for line, points in lines])


def _texts(page: Page) -> str:
    return str([line.text for line in page.lines])


def _boxes(page: Page) -> str:
    boxes = np.array(_points(page), np.float32).reshape(-1, 4, 2)
    return np.array2string(boxes, threshold=boxes.size + 1)


def _one_text(page: Page) -> str:
    return str(["".join(line.text for line in page.lines)])


#: Kind of answer → its key, which part of the work is needed, and the function that writes it.
ANSWERS: Final[Mapping[str, tuple[str, Reads, Callable[[Page], str]]]] = {
    "result": ("result", "page", _result),
    "res": ("res", "page", _texts),
    "det": ("dt_boxes", "boxes", _boxes),
    "rec": ("res", "line", _one_text),
}
