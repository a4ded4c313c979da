"""The document model: a document has pages, lines and words. Frozen values of plain numbers, without numpy.

Services, outputs, the command and the clients all use these types. An image is one page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: (x, y) in pixels of the page as it is seen, that is after the EXIF orientation of its image was applied.
Point = tuple[float, float]
#: A quadrilateral from the top left corner of the text clockwise, or a polygon of more points.
Points = tuple[Point, ...]


def quadrilateral(points: Points) -> Points:
    """The points if they are four, else the corners of the level rectangle round them: for formats without polygons."""
    if len(points) == 4:
        return points
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    return (left, top), (right, top), (right, bottom), (left, bottom)


@dataclass(frozen=True)
class Word:
    """A part of a line. `confidence` is the mean of its characters, from 0 to 1."""

    text: str
    confidence: float
    points: Points


@dataclass(frozen=True)
class Line:
    """One line of text. `confidence` is the mean of its characters, from 0 to 1.

    `angle`: degrees clockwise by which the line is turned on the upright page: 180 if it is upside down, else 0.
    `words`: its words, or None if the request did not ask for them.
    """

    text: str
    confidence: float
    points: Points
    angle: float = 0.0
    words: tuple[Word, ...] | None = None


@dataclass(frozen=True)
class Page:
    """One image, or one page of a document. Lines come in reading order.

    `width`, `height`: its size in pixels, after the EXIF orientation of its image was applied.
    `model`: the bundle that read it, as name/version.
    `angle`: degrees clockwise by which the page is turned in the image as it was sent: 0, 90, 180 or 270. A page with
    angle 90 was turned back counter-clockwise before it was read. `points` refer to the image as it was sent.
    `dpi`: its resolution, if the file has one.
    `source`: whether the text was read from pixels, or was embedded in the file.
    `warnings`: messages about text that may be missing.
    """

    lines: tuple[Line, ...]
    width: int
    height: int
    model: str
    angle: int = 0
    dpi: float | None = None
    source: Literal["pixels", "text"] = "pixels"
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The texts of the lines, one below the other."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class Document:
    """The pages of one file, in order."""

    pages: tuple[Page, ...]

    @property
    def text(self) -> str:
        """The texts of the pages, with a form feed between two of them."""
        return "\f".join(page.text for page in self.pages)
