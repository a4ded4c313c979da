"""Checks a conversion: the bundle and the original networks read the same images, and the texts are compared.

Both run the whole pipeline, each with its own boxes. The networks are also compared on equal
input: the map of each image, the lines that the source's boxes cut out of it, and for orientation the image and those lines
in each of the positions that the network tells apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import (
    DETECTION,
    LINE_ORIENTATION,
    PAGE_ORIENTATION,
    RECOGNITION,
    Answer,
    BundleFacts,
    Items,
    NetworkFacts,
)
from ppocr_api.errors import BundleError
from ppocr_convert import original
from ppocr_convert.sources import Source
from predictor.blocks import blocks_of
from predictor.bundle import Bundle
from predictor.engines.base import EngineOptions, Network
from predictor.engines.choice import choose
from transformer.algorithms import ctc
from transformer.algorithms.boxes import boxes as find_boxes
from transformer.algorithms.crops import crops as cut_crops
from transformer.algorithms.det_input import det_input
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.directions import directed
from transformer.algorithms.thumbnails import line_thumbnails, page_thumbnail
from transformer.parameters import Parameters

if TYPE_CHECKING:
    from ppocr.contract import F32, U8

_MAX_LINE_PIXELS = 64_000_000
_DEFAULTS = Parameters()
#: Items of equal size that are computed in one call.
_BATCH = 8


@dataclass(frozen=True)
class OrientationCompared:
    """Differences between two orientation networks on equal input."""

    items: int
    differing: int
    """Items whose label differs."""
    probability_difference: float
    """The largest difference of the probabilities of equal labels."""


@dataclass(frozen=True)
class Compared:
    """The results of one image: both texts, and the differences of the networks on equal input."""

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
    orientation: Mapping[str, OrientationCompared] = field(default_factory=dict)
    """By the name of the network."""

    @property
    def characters(self) -> int:
        return sum(map(len, self.source_texts))

    @property
    def edits(self) -> int:
        """Characters to insert, delete or replace to make the source's texts of the bundle's."""
        return distance("\n".join(self.texts), "\n".join(self.source_texts))


class Side:
    """One side of the comparison: networks in memory by name, and their facts."""

    def __init__(self, networks: Mapping[str, Network], facts: BundleFacts) -> None:
        self._networks = networks
        self.facts = facts
        self._det, self._rec = needed(facts, DETECTION), needed(facts, RECOGNITION)

    def map(self, image: U8) -> U8:
        """UINT8 [H,W,3] → UINT8 [h,w]."""
        scaled = det_input(image, self._det.grid, DetectionParameters.of(self._det, _DEFAULTS))
        probability: U8 = self._networks[self._det.name].infer(scaled[np.newaxis])[0][0]
        return probability

    def boxes(self, probability: U8, image: U8) -> F32:
        height, width = image.shape[:2]
        return directed(find_boxes(probability, (height, width), DetectionParameters.of(self._det, _DEFAULTS)))[0]

    def read(self, image: U8, boxes: F32) -> tuple[tuple[str, ...], Answer | None]:
        """The texts in the order of the boxes, and the network's answer in the order of the widths; None without boxes."""
        if not len(boxes):
            return (), None
        lines = cut_crops(image, boxes, self._rec.grid, _MAX_LINE_PIXELS)
        answer = self._lines(lines.items)
        readings = lines.by_line(ctc.decode(answer, self._rec.labels, lines.share))
        return tuple(reading.text for reading in readings if reading.text), answer

    def labels(self, name: str, items: U8) -> tuple[np.ndarray, np.ndarray]:
        """Labels and probabilities of an orientation network for UINT8 [N,h,w,3]."""
        parts = [self._networks[name].infer(items[first : first + _BATCH]) for first in range(0, len(items), _BATCH)]
        labels, probabilities = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return labels, probabilities

    def close(self) -> None:
        for network in self._networks.values():
            network.close()

    def _lines(self, lines: Items) -> Answer:
        ids, probabilities, counts = [], [], []
        for block in blocks_of(self._rec, lines):
            for first in range(0, len(block), _BATCH):
                part = block[first : first + _BATCH]
                best, values = self._networks[self._rec.name].infer(part)
                ids.append(best.ravel())
                probabilities.append(values.ravel().astype(np.float32))
                counts += [best.shape[1]] * len(part)
        outputs = {"ids": np.concatenate(ids), "probabilities": np.concatenate(probabilities)}
        return Answer(outputs, np.array(counts, np.int32), self.facts.identity)


def needed(facts: BundleFacts, task: str) -> NetworkFacts:
    """Raises BundleError if the bundle has no network of that task."""
    network = facts.of_task(task)
    if network is None:
        raise BundleError(f"the bundle {facts.label} has no network for the task {task}")
    return network


def sides(bundle: Bundle, sources: Mapping[str, Source]) -> tuple[Side, Side]:
    """The bundle on the CPU's best engine in f32, and the sources of its networks, by name, as published.

    Raises BundleError, ConfigError.
    """
    facts = bundle.facts()
    engine, options = choose("auto", EngineOptions(device="cpu", precision="f32"))
    made = {network.name: engine.load(bundle, network, options) for network in facts.networks}
    source = {network.name: original.load(sources[network.name], bundle, network) for network in facts.networks}
    return Side(made, facts), Side(source, facts)


def compare(name: str, image: U8, made: Side, source: Side) -> Compared:
    """`image` UINT8 [H,W,3] RGB."""
    map_made, map_source = made.map(image), source.map(image)
    boxes = source.boxes(map_source, image)
    source_texts, expected = source.read(image, boxes)
    texts, _ = made.read(image, made.boxes(map_made, image))
    _, found = made.read(image, boxes)
    differing, steps, largest = _rec_difference(found, expected)
    orientation = {
        network.name: _orientation_difference(network, items, made, source)
        for network, items in _orientation_items(made.facts, image, boxes)
    }
    difference = int(np.abs(map_made.astype(int) - map_source).max())
    return Compared(name, texts, source_texts, difference, differing, steps, largest, orientation)


def _rec_difference(found: Answer | None, expected: Answer | None) -> tuple[int, int, float]:
    """The number of time steps that differ, of all time steps, and the largest difference of probability where they don't."""
    if found is None or expected is None:
        return 0, 0, 0.0
    same = found.outputs["ids"] == expected.outputs["ids"]
    apart = np.abs(found.outputs["probabilities"] - expected.outputs["probabilities"])
    return int((~same).sum()), len(same), float(apart[same].max(initial=0))


def _orientation_items(facts: BundleFacts, image: U8, boxes: F32) -> Sequence[tuple[NetworkFacts, U8]]:
    """Each orientation network of a bundle, and its items: UINT8 [N,h,w,3]."""
    found: list[tuple[NetworkFacts, U8]] = []
    if pages := facts.of_task(PAGE_ORIENTATION):
        turned = [np.ascontiguousarray(np.rot90(image, quarter)) for quarter in range(4)]
        found.append((pages, np.stack([page_thumbnail(page, pages) for page in turned])))
    if (lines := facts.of_task(LINE_ORIENTATION)) and len(boxes):
        upside_down = np.roll(boxes, 2, axis=1)
        found.append((lines, line_thumbnails(image, np.concatenate((boxes, upside_down)), lines, _MAX_LINE_PIXELS)))
    return found


def _orientation_difference(network: NetworkFacts, items: U8, made: Side, source: Side) -> OrientationCompared:
    (labels, probabilities), (expected, values) = (side.labels(network.name, items) for side in (made, source))
    same = labels == expected
    return OrientationCompared(
        len(items), int((~same).sum()), float(np.abs(probabilities - values)[same].max(initial=0))
    )


def distance(one: str, other: str) -> int:
    """The Levenshtein distance: the smallest number of characters to insert, delete or replace."""
    codes = np.array([ord(character) for character in other], np.int64)
    places = np.arange(len(other) + 1)
    row = places.copy()
    for place, character in enumerate(one, 1):
        replaced = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(character)))
        whole = np.concatenate(([place], replaced))
        # Insertions run along the row: the best of all places to the left, a step each.
        row = np.minimum.accumulate(whole - places) + places
    return int(row[-1])
