"""What a reading is, for the callers of the clients: plain frozen values without numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppocr_api.errors import PpocrError

#: (x, y) in pixels of the image as it is seen, that is after its EXIF orientation was applied.
Point = tuple[float, float]


@dataclass(frozen=True)
class Word:
    """A part of a line, with the mean confidence of its characters; `points` as those of a line."""

    text: str
    confidence: float
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Line:
    """One line of text. `confidence` from 0 to 1; `points` are its four corners from the top left clockwise."""

    text: str
    confidence: float
    points: tuple[Point, ...]
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Result:
    """The lines of one image in reading order, its size in pixels, and the model that read it, as name/version."""

    lines: tuple[Line, ...]
    width: int
    height: int
    model: str

    @property
    def text(self) -> str:
        """The lines' texts, one below the other."""
        return "\n".join(line.text for line in self.lines)

    @classmethod
    def from_prediction(cls, prediction: Mapping[str, Any]) -> Result:
        """Reads one element of a V1 response's `predictions`. Raises PpocrError where it isn't one."""
        try:
            return cls(
                lines=tuple(
                    Line(
                        text=line["text"],
                        confidence=float(line["confidence"]),
                        points=_points(line["points"]),
                        words=tuple(
                            Word(word["text"], float(word["confidence"]), _points(word["points"]))
                            for word in line.get("words", ())
                        ),
                    )
                    for line in prediction["lines"]
                ),
                width=int(prediction["width"]),
                height=int(prediction["height"]),
                model=str(prediction["model"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PpocrError(f"the answer is not a reading: {type(error).__name__} at {error}") from error


def _points(raw: Any) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in raw)
