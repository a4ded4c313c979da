"""Reads the lines: cuts them out, has them recognised, and decodes the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ppocr import telemetry
from ppocr.contract import RECOGNITION, Answer, Items, NetworkFacts
from transformer.algorithms import ctc
from transformer.algorithms.crops import crops
from transformer.algorithms.ctc import Reading
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Recognise:
    """Sets `readings`. It is the last stage that looks at the image: its memory goes back before the network is asked."""

    task = RECOGNITION
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        if not len(page.boxes):
            page.forget_image()
            return
        order = np.zeros(0, np.intp)

        def prepare(network: NetworkFacts) -> Items:
            nonlocal order
            with telemetry.stage("crops"):
                items, order = crops(page.image, page.boxes, network.grid, page.max_line_pixels)
                return items

        asked = await networks.ask(page, RECOGNITION, "rec", prepare)
        page.readings = await networks.in_thread(page.call, _readings, asked.answer, asked.network, order)


def _readings(answer: Answer, network: NetworkFacts, order: NDArray[np.intp]) -> list[Reading]:
    """The readings in the order of the boxes."""
    with telemetry.stage("ctc"):
        decoded = ctc.decode(answer, network.labels)
        by_box = [decoded[0]] * len(decoded)
        for reading, box in zip(decoded, order.tolist(), strict=True):
            by_box[box] = reading
        return by_box
