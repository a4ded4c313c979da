"""Finds lines that stand upside down, and turns their boxes, so that they are cut out upright."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ppocr import telemetry
from ppocr.contract import LINE_ORIENTATION, Items, NetworkFacts
from transformer.algorithms.thumbnails import line_thumbnails
from transformer.pipeline.networks import Networks
from transformer.pipeline.orientation import angles
from transformer.pipeline.page import PageInWork


@dataclass(frozen=True)
class OrientLines:
    """Sets `line_angles`, their probabilities and `unsure_lines`. Boxes of turned lines begin at the top left of the text."""

    task = LINE_ORIENTATION
    parameter = "use_textline_orientation"

    async def run(self, page: PageInWork, networks: Networks) -> None:
        page.line_angles, page.unsure_lines = np.zeros(len(page.boxes), np.int32), np.zeros(len(page.boxes), np.bool_)
        if not len(page.boxes):
            return
        asked = await networks.ask(page, LINE_ORIENTATION, "orient_lines", partial(_thumbnails, page))
        page.line_angles, sure = angles(asked.network, asked.answer, (0, 180))
        page.unsure_lines = ~sure
        page.line_angle_probabilities = asked.answer.outputs["probability"]
        page.turn_lines(page.line_angles == 180)


def _thumbnails(page: PageInWork, network: NetworkFacts) -> Items:
    with telemetry.stage("crops"):
        thumbnails = line_thumbnails(page.image, page.boxes, network, page.max_line_pixels)
        sizes = np.tile(np.array(thumbnails.shape[1:3], np.int32), (len(thumbnails), 1))
        return Items(thumbnails.reshape(-1), sizes)
