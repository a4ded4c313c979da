"""Reads lines in doubt once more, turned by 180 degrees, and keeps the better reading.

The network for line orientation is wrong about one line in a hundred, and unsure of many short ones. What recognition makes of
a line tells more: of a line that stands upside down it is seldom sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppocr.contract import RECOGNITION
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork
from transformer.pipeline.recognise import read

#: A line that was read with less confidence may have been read upside down.
CONFIDENT = 0.85
#: Two readings whose confidences differ by less tell little: 0 and 8 read the same both ways. Then the line is turned as most
#: lines of the page are.
CLEAR = 0.2


@dataclass(frozen=True)
class ReadBothWays:
    """Corrects `readings`, `line_angles` and `boxes`. It is the last stage that looks at the image."""

    task = RECOGNITION
    parameter = "use_textline_orientation"

    async def run(self, page: PageInWork, networks: Networks) -> None:
        assert page.line_angles is not None and page.unsure_lines is not None and page.readings is not None
        confidences = np.array([reading.confidence for reading in page.readings], np.float64)
        doubtful = page.unsure_lines | (confidences < CONFIDENT)
        others = await read(page, networks, np.roll(page.boxes[doubtful], 2, axis=1), page.forget_image)
        mostly = 180 if (page.line_angles[~doubtful] == 180).sum() * 2 > (~doubtful).sum() else 0
        readings, turned = list(page.readings), np.zeros(len(page.readings), np.bool_)
        for index, other in zip(np.flatnonzero(doubtful).tolist(), others, strict=True):
            gain = other.confidence - readings[index].confidence
            if gain > CLEAR or (gain > -CLEAR and page.line_angles[index] != mostly):
                readings[index], turned[index] = other, True
        page.readings = readings
        page.line_angles = np.where(turned, 180 - page.line_angles, page.line_angles).astype(np.int32)
        page.turn_lines(turned)
