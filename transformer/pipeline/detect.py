"""Finds where text is: the page on the network's grid, its probability map, and boxes from that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ppocr import telemetry
from ppocr.contract import DETECTION, Items, NetworkFacts
from transformer.algorithms.boxes import boxes
from transformer.algorithms.det_input import det_input
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork

if TYPE_CHECKING:
    from ppocr.contract import F32, U8


@dataclass(frozen=True)
class Detect:
    """Sets `boxes`."""

    task = DETECTION
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        asked = await networks.ask(page, DETECTION, "det", partial(_scaled, page))
        height, width = asked.items.sizes[0].tolist()
        probability = asked.answer.outputs["probability"].reshape(height, width)
        page.boxes = await networks.in_thread(page.call, _boxes, page, asked.network, probability)


def _scaled(page: PageInWork, network: NetworkFacts) -> Items:
    with telemetry.stage("scale"):
        parameters = DetectionParameters.of(network, page.parameters)
        scaled = det_input(page.image, network.grid, parameters, page.max_detection_pixels)
        return Items(np.ascontiguousarray(scaled).reshape(-1), np.array([scaled.shape[:2]], np.int32))


def _boxes(page: PageInWork, network: NetworkFacts, probability: U8) -> F32:
    with telemetry.stage("boxes"):
        height, width = page.image.shape[:2]
        return boxes(probability, (height, width), DetectionParameters.of(network, page.parameters))
