"""Recognition: cuts out the lines, runs the network, and decodes its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ppocr import telemetry
from ppocr.contract import RECOGNITION, Items, NetworkFacts
from transformer.algorithms import ctc
from transformer.algorithms.crops import Crops, crops
from transformer.algorithms.ctc import Reading
from transformer.algorithms.line_memory import line_memory
from transformer.pipeline.networks import Asked, Networks, needed, nothing
from transformer.pipeline.page import PageInWork

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32


@dataclass(frozen=True)
class Recognise:
    """Sets `readings`. The image is kept: some lines are read again."""

    task = RECOGNITION
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        page.readings = await read(page, networks, page.boxes, nothing)


async def read(
    page: PageInWork,
    networks: Networks,
    boxes: F32,
    when_cut: Callable[[], None],
    stretch: NDArray[np.float64] | None = None,
) -> list[Reading]:
    """The readings of `boxes` F32 [N,4,2], in their order. `when_cut` is called once the image isn't needed any more.

    `stretch` F64 [N]: as in `crops`. Waits for memory for the lines. Two calls for one page must never run at the same time,
    because each might wait for memory that the other one holds.
    """
    if not len(boxes):
        when_cut()
        return []
    lines: Crops | None = None

    def prepare(network: NetworkFacts) -> Items:
        nonlocal lines
        with telemetry.stage("crops"):
            lines = crops(page.image, boxes, network.grid, page.max_line_pixels, stretch)
            return lines.items

    memory = line_memory(boxes, needed(page.facts, RECOGNITION).grid, page.max_line_pixels, stretch)
    with await page.hold_lines(memory):
        asked = await networks.ask(page, RECOGNITION, "rec", prepare, when_cut)
        assert lines is not None
        return await networks.in_thread(page.call, _decoded, asked, lines)


def _decoded(asked: Asked, lines: Crops) -> list[Reading]:
    """The readings of the lines."""
    with telemetry.stage("ctc"):
        return lines.by_line(ctc.decode(asked.answer, asked.network.labels, lines.share))
