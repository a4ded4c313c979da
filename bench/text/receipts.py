"""Labelled receipts as a camera brings them: skewed, turned, small and large."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from bench import score
from bench.text.case import Case, Line
from bench.text.score import distance, flat
from transformer.algorithms.reading_order import reading_order

#: No receipt is enlarged beyond this: some are scans of 16 million pixels already.
MAX_PIXELS = 40_000_000
TURNED = {"use_doc_orientation_classify": "true"}


@dataclass(frozen=True)
class Change:
    """What is done to each receipt: turned clockwise by `degrees`, scaled by `scale`."""

    name: str
    degrees: float = 0.0
    scale: float = 1.0
    parameters: Mapping[str, str] = field(default_factory=dict)

    def of(self, data: bytes) -> bytes:
        """The changed file, as JPEG; the file itself where nothing changes."""
        if self.degrees == 0 and self.scale == 1:
            return data
        image = Image.open(io.BytesIO(data)).convert("RGB")
        if self.scale != 1:
            scale = min(self.scale, (MAX_PIXELS / (image.width * image.height)) ** 0.5)
            size = (round(image.width * scale), round(image.height * scale))
            image = image.resize(size, Image.Resampling.LANCZOS)
        if self.degrees:
            image = image.rotate(-self.degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=92)
        return buffer.getvalue()


CHANGES = (
    Change("as they are"),
    *(Change(f"skewed by {degrees} degrees", degrees) for degrees in (2, 3, 5)),
    *(Change(f"scaled by {scale}", scale=scale) for scale in (0.3, 3)),
    *(Change(f"turned by {degrees} degrees", degrees, parameters=TURNED) for degrees in (90, 180, 270)),
)


@dataclass(frozen=True)
class Figures:
    """Token and character F1 of all receipts; the share of neighbouring labels that were read in reverse order; and the
    ordered character error rate, upper-cased, against the labels in their own order and in the order of rows: whoever made
    the labels went down the columns of some receipts."""

    tokens: float
    characters: float
    out_of_order: float
    as_labelled: float
    in_rows: float


def read(folder: Path, change: Change, reader: Callable[[Case], Sequence[Line]]) -> Figures:
    """The receipts NAME.jpg of `folder`, whose labels are NAME.csv."""
    texts: dict[str, list[str]] = {}
    reversed_, neighbours, length = 0, 0, 0
    edits = np.zeros(2, np.intp)
    for path in sorted(folder.glob("*.jpg")):
        case = Case(path.stem, change.of(path.read_bytes()), (), change.parameters)
        got = texts[path.stem] = [line["text"] for line in reader(case)]
        labels = folder / f"{path.stem}.csv"
        expected = score.expected(labels)
        places = list(_places(expected, got))
        neighbours += max(len(places) - 1, 0)
        reversed_ += sum(one > other for one, other in itertools.pairwise(places))
        by_rows = reading_order(np.array(score.corners(labels), np.float32).reshape(-1, 4, 2))
        orders = (expected, [expected[index] for index in by_rows])
        edits += [distance(flat(got).upper(), flat(order).upper()) for order in orders]
        length += len(flat(expected))
    scored = score.score(texts, folder)
    as_labelled, in_rows = (edits / max(length, 1)).tolist()
    return Figures(scored.tokens, scored.characters, reversed_ / max(neighbours, 1), as_labelled, in_rows)


def _places(labels: Sequence[str], lines: Sequence[str]) -> Iterator[int]:
    """Where the labels that occur once, and were read once, are among the lines."""
    wanted = ["".join(label.upper().split()) for label in labels]
    got = ["".join(line.upper().split()) for line in lines]
    for text in wanted:
        if wanted.count(text) == got.count(text) == 1:
            yield got.index(text)
