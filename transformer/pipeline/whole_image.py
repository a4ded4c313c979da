"""Treats the whole image as one line, if the request says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork


@dataclass(frozen=True)
class WholeImage:
    """Sets `boxes` to the corners of the image."""

    task = None
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        height, width = page.image.shape[:2]
        page.boxes = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
