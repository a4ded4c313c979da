"""Reads the lines: cuts them out, has them recognised, and decodes the answer; and reads again what was too narrow.

What is read again is stretched from the items of the first reading, which are smaller than the image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ppocr import telemetry
from ppocr.contract import RECOGNITION, Items, NetworkFacts
from transformer.algorithms import ctc, narrow
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
    lines: Crops | None = None

    def prepare(network: NetworkFacts) -> Items:
        nonlocal lines
        with telemetry.stage("crops"):
            lines = crops(page.image, boxes, network.grid, page.max_line_pixels)
            return lines.items

    memory = line_memory(boxes, needed(page.facts, RECOGNITION).grid, page.max_line_pixels)
    with await page.hold_lines(memory):
        asked = await networks.ask(page, RECOGNITION, "rec", prepare, when_cut)
        assert lines is not None
        readings = await networks.in_thread(page.call, _decoded, asked, lines)
        crowded = narrow.crowded(readings, lines, page.max_line_pixels)
        if len(crowded):
            await _read_wider(page, networks, lines, crowded, readings)
    return lines.by_line(readings)


async def _read_wider(
    page: PageInWork, networks: Networks, lines: Crops, which: NDArray[np.intp], readings: list[Reading]
) -> None:
    """Reads the items `which` of `lines` again, wider, and puts what is read in place of their `readings`."""
    wide: Crops | None = None

    def prepare(network: NetworkFacts) -> Items:
        nonlocal wide
        with telemetry.stage("crops"):
            wide = narrow.wider(lines, which, network.grid)
            return wide.items

    asked = await networks.ask(page, RECOGNITION, "rec", prepare)
    assert wide is not None
    again = await networks.in_thread(page.call, _decoded, asked, wide)
    for reading, item in zip(again, wide.line.tolist(), strict=True):
        readings[item] = reading


def _decoded(asked: Asked, lines: Crops) -> list[Reading]:
    """The readings of the items."""
    with telemetry.stage("ctc"):
        return ctc.decode(asked.answer, asked.network.labels, lines.share)
