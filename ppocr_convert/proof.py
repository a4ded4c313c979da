"""The proof of a conversion: the bundle reads images beside the networks that it was made of, and the texts are compared.

Both go the service's whole way, each from its own boxes. Beside the texts, the networks themselves are compared on equal
input: the map of each image, and the lines that the source's boxes cut out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ppocr.bundle import Bundle
from ppocr.contract import BundleFacts, Lines, RecAnswer
from ppocr_convert import as_it_came
from ppocr_convert.sources import Source
from predictor.engines.base import EngineOptions, Network, choose
from predictor.local import blocks_of
from transformer import ctc
from transformer.algorithms.boxes import boxes as find_boxes
from transformer.algorithms.crops import crops as cut_crops
from transformer.algorithms.det_input import det_input
from transformer.parameters import Parameters

if TYPE_CHECKING:
    from ppocr.contract import F32, U8

_MAX_LINE_PIXELS = 64_000_000
_DEFAULTS = Parameters()


@dataclass(frozen=True)
class Compared:
    """One image: what both read, and how far apart the networks are on equal input."""

    name: str
    texts: tuple[str, ...]
    source_texts: tuple[str, ...]
    map_difference: int
    """The largest difference of the probability maps, in levels of 255."""
    differing_steps: int
    """Time steps whose best class differs, on the lines that the source's boxes cut out."""
    steps: int
    probability_difference: float
    """The largest difference of the probabilities of equal classes."""

    @property
    def characters(self) -> int:
        return sum(map(len, self.source_texts))

    @property
    def edits(self) -> int:
        """Characters to insert, delete or replace to make the source's texts of the bundle's."""
        return distance("\n".join(self.texts), "\n".join(self.source_texts))


class Side:
    """Two networks and what to know of them."""

    def __init__(self, det: Network, rec: Network, facts: BundleFacts) -> None:
        self._det, self._rec, self._facts = det, rec, facts

    def map(self, image: U8) -> U8:
        """UINT8 [H,W,3] → UINT8 [h,w]."""
        probability: U8 = self._det.infer(det_input(image, self._facts.det, _DEFAULTS)[np.newaxis])[0][0]
        return probability

    def boxes(self, probability: U8, image: U8) -> F32:
        return find_boxes(probability, image.shape[:2], self._facts.det, _DEFAULTS)

    def read(self, image: U8, boxes: F32) -> tuple[tuple[str, ...], list[RecAnswer]]:
        """The texts in reading order, and what the network said, in order of the widths."""
        if not len(boxes):
            return (), []
        lines, order = cut_crops(image, boxes, self._facts.rec, _MAX_LINE_PIXELS)
        answers = self.lines(lines)
        readings = [reading for answer in answers for reading in ctc.decode(answer, self._facts.rec.characters)]
        texts = [""] * len(readings)
        for reading, box in zip(readings, order.tolist(), strict=True):
            texts[box] = reading.text
        return tuple(text for text in texts if text), answers

    def lines(self, lines: Lines) -> list[RecAnswer]:
        """One answer a block of equal widths; a block of a hundred lines is computed in parts."""
        answers = []
        for block in blocks_of(lines, self._facts.rec):
            for first in range(0, len(block), 8):
                part = block[first : first + 8]
                ids, probabilities = self._rec.infer(part)
                steps = np.full(len(part), ids.shape[1], np.int32)
                answers.append(
                    RecAnswer(ids.ravel(), probabilities.ravel().astype(np.float32), steps, self._facts.version)
                )
        return answers

    def close(self) -> None:
        self._det.close()
        self._rec.close()


def sides(bundle: Bundle, det: Source, rec: Source) -> tuple[Side, Side]:
    """The bundle on the CPU's best engine in f32, and the sources as they came. Raises BundleError, ConfigError."""
    facts = bundle.facts()
    engine, options = choose("auto", EngineOptions(device="cpu", precision="f32"))
    made = Side(engine.load(bundle, "det", options), engine.load(bundle, "rec", options), facts)
    source = Side(as_it_came.load(det, bundle, "det"), as_it_came.load(rec, bundle, "rec"), facts)
    return made, source


def compare(name: str, image: U8, made: Side, source: Side) -> Compared:
    """`image` UINT8 [H,W,3] RGB."""
    map_made, map_source = made.map(image), source.map(image)
    boxes = source.boxes(map_source, image)
    source_texts, expected = source.read(image, boxes)
    texts, _ = made.read(image, made.boxes(map_made, image))
    _, found = made.read(image, boxes)
    differing, steps, largest = _rec_difference(found, expected)
    difference = int(np.abs(map_made.astype(int) - map_source).max())
    return Compared(name, texts, source_texts, difference, differing, steps, largest)


def _rec_difference(found: Sequence[RecAnswer], expected: Sequence[RecAnswer]) -> tuple[int, int, float]:
    """Time steps that differ, all time steps, the largest difference of probabilities where they don't."""
    differing = steps = 0
    largest = 0.0
    for one, other in zip(found, expected, strict=True):
        same = one.ids == other.ids
        differing += int((~same).sum())
        steps += len(same)
        largest = max(largest, float(np.abs(one.probabilities - other.probabilities)[same].max(initial=0)))
    return differing, steps, largest


def distance(one: str, other: str) -> int:
    """Levenshtein's: the smallest number of characters to insert, delete or replace."""
    codes = np.array([ord(character) for character in other], np.int64)
    places = np.arange(len(other) + 1)
    row = places.copy()
    for place, character in enumerate(one, 1):
        replaced = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(character)))
        whole = np.concatenate(([place], replaced))
        # Insertions run along the row: the best of all places to the left, a step each.
        row = np.minimum.accumulate(whole - places) + places
    return int(row[-1])
