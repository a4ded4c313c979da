"""Straightens curved lines and appends them below the page, so that later stages treat them like other lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ppocr import telemetry
from transformer.algorithms.ribbons import Ribbon
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork

if TYPE_CHECKING:
    from ppocr.contract import F32, U8


@dataclass(frozen=True)
class Straighten:
    """Where detect found `ribbons`: adds them to `image`, and their boxes to `boxes`."""

    task = None
    parameter = "text_det_box_type"

    async def run(self, page: PageInWork, networks: Networks) -> None:
        if page.ribbons:
            page.image, added = await networks.in_thread(page.call, _below, page.image, page.ribbons)
            page.boxes = np.concatenate((page.boxes, added))
            if page.either_way is not None:
                page.either_way = np.concatenate((page.either_way, np.zeros(len(added), np.bool_)))


def _below(image: U8, ribbons: list[Ribbon]) -> tuple[U8, F32]:
    """The page with the straight ribbons below it, and their boxes F32 [M,4,2]."""
    with telemetry.stage("crops"):
        height, width = image.shape[0], max(image.shape[1], *(ribbon.length for ribbon in ribbons))
        whole = np.zeros((height + sum(ribbon.height for ribbon in ribbons), width, 3), np.uint8)
        whole[:height, : image.shape[1]] = image
        boxes, y = [], height
        for ribbon in ribbons:
            whole[y : y + ribbon.height, : ribbon.length] = ribbon.straightened(image)
            bottom = y + ribbon.height
            boxes.append(((0, y), (ribbon.length, y), (ribbon.length, bottom), (0, bottom)))
            y = bottom
        return whole, np.array(boxes, np.float32)
