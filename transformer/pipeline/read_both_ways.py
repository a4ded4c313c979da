"""Reads lines in doubt once more, turned, and keeps the better reading.

The shape of a box doesn't tell whether its text stands upside down, nor whether a small tall box holds an upright letter or a
turned word. What recognition makes of it tells: it is seldom sure of a line that isn't upright. The network for line
orientation, where a request asks for it, only saves second readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import RECOGNITION
from transformer.algorithms.ctc import Reading
from transformer.algorithms.directions import begun_at
from transformer.pipeline.networks import Networks, nothing
from transformer.pipeline.page import PageInWork
from transformer.pipeline.recognise import read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Index = NDArray[np.intp]

#: A line that was read with less confidence may have been read upside down.
CONFIDENT = 0.85
#: Two readings whose confidences differ by less tell little: 0 and 8 read the same both ways. Then the line is turned as most
#: lines of the page are.
CLEAR = 0.2
#: A page's direction is known from its first readings where so much of its text was read with confidence that way.
KNOWN = 0.8
#: What was read with less is no text: specks read as something both ways, and as nothing one way.
BELIEVED = 0.7
#: A word across the page's direction is believed where it is read with so much more confidence than along it.
ACROSS = 0.1


@dataclass(frozen=True)
class ReadBothWays:
    """Corrects `readings`, `line_angles` and `boxes`. It is the last stage that looks at the image."""

    task = RECOGNITION
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        chosen = _Chosen(page)
        doubtful = ~settled(page.readings, _upside_down(page))
        if page.either_way is not None:
            doubtful |= page.either_way & (_confidence(page.readings) < CONFIDENT)
        if page.unsure_lines is not None:
            doubtful |= page.unsure_lines
        turned = np.flatnonzero(doubtful)
        either = turned[:0] if page.either_way is None else np.flatnonzero(doubtful & page.either_way)
        # The other direction along the same side, and both along the other side where that is as likely.
        lines, corners = (
            np.concatenate((turned, either, either)),
            np.repeat((2, 1, 3), (len(turned), len(either), len(either))),
        )
        others = await read(page, networks, begun_at(page.boxes[lines], corners), nothing)
        mostly = _mostly_turned(page, turned, others[: len(turned)])
        for line, other in zip(turned.tolist(), others, strict=False):
            gain = _gain(page.readings[line], other)
            if gain > CLEAR or (gain > -CLEAR and chosen.upside_down[line] != mostly.value):
                chosen.take(line, 2, other)
        for line, corner, other in list(zip(lines.tolist(), corners.tolist(), others, strict=True))[len(turned) :]:
            if _gain(chosen.readings[line], other) > ACROSS:
                chosen.take(line, corner, other)
        contrary = np.flatnonzero(~doubtful & (chosen.upside_down != mostly.value)) if mostly.clearly else turned[:0]
        others = await read(
            page, networks, begun_at(page.boxes[contrary], np.full(len(contrary), 2)), page.forget_image
        )
        for line, other in zip(contrary.tolist(), others, strict=True):
            if other.confidence > page.readings[line].confidence - CLEAR:
                chosen.take(line, 2, other)
        chosen.give_to(page)


class _Chosen:
    """The reading of each line so far, and the corner of its box at which that begins."""

    def __init__(self, page: PageInWork) -> None:
        self.readings = list(page.readings)
        self.corner = np.zeros(len(self.readings), np.intp)
        self.upside_down: Flags = _upside_down(page)

    def take(self, line: int, corner: int, reading: Reading) -> None:
        self.corner[line], self.readings[line] = corner, reading

    def give_to(self, page: PageInWork) -> None:
        page.readings = self.readings
        page.boxes = begun_at(page.boxes, self.corner)
        if page.line_angles is not None:
            page.line_angles = np.where(self.upside_down ^ (self.corner == 2), 180, 0).astype(np.int32)


@dataclass(frozen=True)
class _Most:
    """Whether most text of a page stands upside down, and whether twice as much does (or doesn't) than the rest."""

    value: bool
    clearly: bool


def settled(readings: Sequence[Reading], turned: Flags) -> Flags:
    """The lines that needn't be read the other way round (bool [N]); `turned` bool [N] were read as standing upside down.

    Those that were read with confidence; and where most text of the page is known to stand as they do, those beside which no
    other reading could be CLEARly more confident.
    """
    confidence, characters = _confidence(readings), np.array([len(reading.text) for reading in readings], np.float64)
    sure = confidence >= CONFIDENT
    alike = np.where(turned, characters[sure & turned].sum(), characters[sure & ~turned].sum())
    enough: Flags = sure | ((confidence >= 1 - CLEAR) & (alike > KNOWN * characters.sum()))
    return enough


def _confidence(readings: Sequence[Reading]) -> F64:
    return np.array([reading.confidence for reading in readings], np.float64)


def _mostly_turned(page: PageInWork, doubtful: Index, others: Sequence[Reading]) -> _Most:
    """Each character is a vote: of lines that were read with confidence, or with far more confidence one way than the other."""
    turned = _upside_down(page)
    weights = np.array([len(reading.text) for reading in page.readings], np.float64)
    for line, other in zip(doubtful.tolist(), others, strict=True):
        gain = _gain(page.readings[line], other)
        turned[line] ^= gain > CLEAR
        weights[line] = len(other.text) if gain > CLEAR else weights[line] if gain < -CLEAR else 0
    most, total = weights[turned].sum(), weights.sum()
    return _Most(bool(most * 2 > total), bool(max(most, total - most) >= 2 * min(most, total - most)))


def _gain(first: Reading, other: Reading) -> float:
    """How much more confident the other reading is; not positive where it isn't BELIEVED."""
    gain = other.confidence - first.confidence
    return gain if other.confidence >= BELIEVED else min(gain, 0.0)


def _upside_down(page: PageInWork) -> Flags:
    return np.zeros(len(page.boxes), np.bool_) if page.line_angles is None else page.line_angles == 180
