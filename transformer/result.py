"""What was read in one image."""

from __future__ import annotations

from dataclasses import dataclass

from ppocr.contract import BundleFacts

Quad = list[list[float]]


@dataclass(frozen=True)
class Word:
    """A part of a line: `points` are its corners TL, TR, BR, BL in pixels of the image."""

    text: str
    confidence: float
    points: Quad


@dataclass(frozen=True)
class Line:
    """One line: `confidence` is the mean probability of its characters, `points` its corners TL, TR, BR, BL in pixels."""

    text: str
    confidence: float
    points: Quad
    words: tuple[Word, ...] | None = None


@dataclass(frozen=True)
class Page:
    """One image: its lines in reading order, its size in pixels after EXIF orientation, and the model that read it."""

    lines: tuple[Line, ...]
    width: int
    height: int
    model: str


def model_name(facts: BundleFacts) -> str:
    """How answers name what computed them: bundle and version."""
    return f"{facts.name}/{facts.version}"
