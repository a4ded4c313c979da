"""Reads some lines again: at a larger width if the type is narrow, and turned if the line may be upside down.

The shape of a box doesn't show whether its text is upside down, or whether a small tall box has an upright letter or a
turned word. The confidence of recognition shows it: it is seldom high for a line that isn't upright. The network for line
orientation, if requested, only saves second readings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import RECOGNITION
from transformer.algorithms import narrow
from transformer.algorithms.ctc import Reading
from transformer.algorithms.directions import begun_at
from transformer.algorithms.line_memory import line_pixels
from transformer.pipeline.networks import Networks, needed, nothing
from transformer.pipeline.page import PageInWork
from transformer.pipeline.recognise import read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Index = NDArray[np.intp]

#: Lines with at least this confidence show which way a page is turned.
CONFIDENT = 0.85
#: A smaller difference of two confidences is not significant: 0 and 8 read the same both ways. Then the line is turned like
#: most lines of the page.
CLEAR = 0.2
#: With a lower confidence it isn't text: specks often give some text in either direction.
MIN_TEXT_CONFIDENCE = 0.7
#: A word across the page's direction must have a confidence higher by this much than along it.
ACROSS = 0.1


@dataclass(frozen=True)
class ReadAgain:
    """Corrects `readings`, `line_angles` and `boxes`. It is the last stage that looks at the image."""

    task = RECOGNITION
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        crowded, doubtful = narrow.crowded(page.readings), _doubtful(page)
        wide, turned = np.flatnonzero(crowded), np.flatnonzero(doubtful)
        either = turned[:0] if page.either_way is None else np.flatnonzero(doubtful & page.either_way)
        # The other direction along the same side; both along the other side if that is as likely; and wider.
        lines = np.concatenate((turned, either, either, wide))
        corners = np.repeat((2, 1, 3, 0), (len(turned), len(either), len(either), len(wide)))
        others = await _read(page, networks, lines, corners, crowded[lines], nothing)
        page.readings = [others.get((line, 0), reading) for line, reading in enumerate(page.readings)]
        chosen = _Chosen(page)
        mostly = _mostly_turned(page, others)
        for (line, corner), other in others.items():
            gain = _gain(page.readings[line], other)
            if corner == 2 and (gain > CLEAR or (gain > -CLEAR and chosen.upside_down[line] != mostly.value)):
                chosen.take(line, 2, other)
        for (line, corner), other in others.items():
            if corner in (1, 3) and _gain(chosen.readings[line], other) > ACROSS:
                chosen.take(line, corner, other)
        contrary = ~doubtful & (chosen.upside_down != mostly.value) & mostly.clearly
        wide = np.flatnonzero((chosen.corner > 0) & ~crowded & narrow.crowded(chosen.readings))
        lines = np.concatenate((np.flatnonzero(contrary), wide))
        corners = np.where(contrary[lines], 2, chosen.corner[lines])
        wider = crowded[lines] | ~contrary[lines]
        for (line, corner), other in (await _read(page, networks, lines, corners, wider, page.forget_image)).items():
            if not contrary[line] or other.confidence > page.readings[line].confidence - CLEAR:
                chosen.take(line, corner, other)
        chosen.give_to(page)


async def _read(
    page: PageInWork, networks: Networks, lines: Index, corners: Index, wider: Flags, when_cut: Callable[[], None]
) -> dict[tuple[int, int], Reading]:
    """Reads `lines` intp [N] of the page, each begun at one of `corners` intp [N], `wider` bool [N] or not: by line and corner.

    All are read in one call of the network. Lines beyond `max_line_pixels` are left out.
    """
    boxes, stretch = begun_at(page.boxes[lines], corners), np.where(wider, narrow.WIDER, 1.0)
    pixels = line_pixels(boxes, needed(page.facts, RECOGNITION).grid, stretch)
    fits = np.cumsum(pixels) <= page.max_line_pixels
    readings = await read(page, networks, boxes[fits], when_cut, stretch[fits])
    return dict(zip(zip(lines[fits].tolist(), corners[fits].tolist(), strict=True), readings, strict=True))


class _Chosen:
    """The reading of each line so far, and the corner of its box at which that reading begins."""

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
    """Whether most text of a page is upside down, and whether there is twice as much of it as of the rest."""

    value: bool
    clearly: bool


def settled(readings: Sequence[Reading]) -> Flags:
    """Lines that needn't be read the other way round (bool [N]), because no other reading could be more confident by CLEAR."""
    enough: Flags = _confidence(readings) >= 1 - CLEAR
    return enough


def _confidence(readings: Sequence[Reading]) -> F64:
    return np.array([reading.confidence for reading in readings], np.float64)


def _doubtful(page: PageInWork) -> Flags:
    """The lines to read the other way round as well (bool [N])."""
    doubtful = ~settled(page.readings)
    if page.either_way is not None:
        doubtful |= page.either_way & (_confidence(page.readings) < CONFIDENT)
    if page.unsure_lines is not None:
        doubtful |= page.unsure_lines
    return doubtful


def _mostly_turned(page: PageInWork, others: Mapping[tuple[int, int], Reading]) -> _Most:
    """Each character of a line is a vote, if the line has a high confidence, or a much higher one in one direction."""
    turned = _upside_down(page)
    weights = np.array([len(reading.text) * (reading.confidence >= CONFIDENT) for reading in page.readings], np.float64)
    for (line, corner), other in others.items():
        if corner != 2:
            continue
        gain = _gain(page.readings[line], other)
        turned[line] ^= gain > CLEAR
        first = len(page.readings[line].text) if gain < -CLEAR else 0
        weights[line] = len(other.text) if gain > CLEAR else first
    most, total = weights[turned].sum(), weights.sum()
    return _Most(bool(most * 2 > total), bool(max(most, total - most) >= 2 * min(most, total - most)))


def _gain(first: Reading, other: Reading) -> float:
    """How much more confident the other reading is; never positive if its confidence is below MIN_TEXT_CONFIDENCE."""
    gain = other.confidence - first.confidence
    return gain if other.confidence >= MIN_TEXT_CONFIDENCE else min(gain, 0.0)


def _upside_down(page: PageInWork) -> Flags:
    return np.zeros(len(page.boxes), np.bool_) if page.line_angles is None else page.line_angles == 180
