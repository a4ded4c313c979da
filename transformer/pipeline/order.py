"""Sorts the lines in reading order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transformer.algorithms.reading_order import reading_order
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork


@dataclass(frozen=True)
class Order:
    """Sets `order`."""

    task = None
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        boxes = page.boxes
        if page.ribbons:
            boxes = np.concatenate((boxes[: -len(page.ribbons)], [ribbon.around for ribbon in page.ribbons]))
        page.order = await networks.on_lines(page, reading_order, boxes, page.parameters.columns, page.angle)
