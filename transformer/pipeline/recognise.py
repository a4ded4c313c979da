"""Reads the lines: cuts them out, has them recognised, and decodes the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ppocr import telemetry
from ppocr.contract import RECOGNITION, Answer, Items, NetworkFacts
from transformer.algorithms import ctc
from transformer.algorithms.crops import crops
from transformer.algorithms.ctc import Reading
from transformer.pipeline.networks import Networks, nothing
from transformer.pipeline.page import PageInWork

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32


@dataclass(frozen=True)
class Recognise:
    """Sets `readings`. The image is kept: lines in doubt are read again."""

    task = RECOGNITION
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        page.readings = await read(page, networks, page.boxes, nothing)


async def read(page: PageInWork, networks: Networks, boxes: F32, when_cut: Callable[[], None]) -> list[Reading]:
    """The readings of `boxes` F32 [N,4,2], in their order. `when_cut` is called once the image isn't needed any more."""
    if not len(boxes):
        when_cut()
        return []
    order = np.zeros(0, np.intp)

    def prepare(network: NetworkFacts) -> Items:
        nonlocal order
        with telemetry.stage("crops"):
            items, order = crops(page.image, boxes, network.grid, page.max_line_pixels)
            return items

    asked = await networks.ask(page, RECOGNITION, "rec", prepare, when_cut)
    return await networks.in_thread(page.call, _readings, asked.answer, asked.network, order)


def _readings(answer: Answer, network: NetworkFacts, order: NDArray[np.intp]) -> list[Reading]:
    """The readings in the order of the boxes."""
    with telemetry.stage("ctc"):
        decoded = ctc.decode(answer, network.labels)
        by_box = [decoded[0]] * len(decoded)
        for reading, box in zip(decoded, order.tolist(), strict=True):
            by_box[box] = reading
        return by_box
