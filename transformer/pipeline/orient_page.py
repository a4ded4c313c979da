"""Turns a page upright if it is turned by 90, 180 or 270 degrees in its image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ppocr import telemetry
from ppocr.contract import PAGE_ORIENTATION, Items, NetworkFacts
from transformer.algorithms.thumbnails import page_thumbnail
from transformer.pipeline.networks import Networks
from transformer.pipeline.orientation import angles
from transformer.pipeline.page import PageInWork


@dataclass(frozen=True)
class OrientPage:
    """Sets `angle`, and turns `image` back by it."""

    task = PAGE_ORIENTATION
    parameter = "use_doc_orientation_classify"

    async def run(self, page: PageInWork, networks: Networks) -> None:
        asked = await networks.ask(page, PAGE_ORIENTATION, "orient_page", partial(_thumbnail, page))
        (angle,), (sure,) = angles(asked.network, asked.answer, (0, 90, 180, 270))
        page.angle = int(angle) if sure else 0
        if page.angle:
            page.image = await networks.in_thread(page.call, _turned_back, page, large=page.large)


def _thumbnail(page: PageInWork, network: NetworkFacts) -> Items:
    with telemetry.stage("scale"):
        thumbnail = page_thumbnail(page.image, network)
        return Items(thumbnail.reshape(-1), np.array([thumbnail.shape[:2]], np.int32))


def _turned_back(page: PageInWork) -> np.ndarray:
    # np.rot90 turns counter-clockwise.
    return np.ascontiguousarray(np.rot90(page.image, page.angle // 90))
