"""The parameters a request may carry, by the names of PaddleOCR 3, checked in one place for every route."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from ppocr_api.errors import InvalidRequest

LimitType = Literal["max", "min"]
BoxType = Literal["quad", "poly"]


@dataclass(frozen=True)
class Parameters:
    """What a request asks for. None leaves the choice to the model's own facts (transformer/algorithms/detection_parameters.py).

    | field | meaning |
    |---|---|
    | text_det_limit_side_len | side in pixels that the image is scaled to before detection |
    | text_det_limit_type | which side that bounds: `max` the longer one from above, `min` the shorter one from below |
    | text_det_thresh | probability above which a pixel counts as text |
    | text_det_box_thresh | mean probability below which a box is dropped |
    | text_det_unclip_ratio | how far a box is grown beyond the text's core |
    | text_rec_score_thresh | confidence below which a line is dropped; None and 0 drop nothing |
    | return_word_box | whether the words of a line and their boxes are returned as well |
    | use_textline_orientation | whether a network tells first which lines stand upside down |
    | use_doc_orientation_classify | whether a page that is turned by 90, 180 or 270 degrees is read upright |
    | columns | whether the columns of a page are read one after the other, if it has any; else rows are read |
    | text_det_box_type | `quad`: lines are quadrilaterals; `poly`: curved ones are polygons, and are straightened to be read |
    """

    text_det_limit_side_len: int | None = None
    text_det_limit_type: LimitType | None = None
    text_det_thresh: float | None = None
    text_det_box_thresh: float | None = None
    text_det_unclip_ratio: float | None = None
    text_rec_score_thresh: float | None = None
    return_word_box: bool = False
    use_textline_orientation: bool = False
    use_doc_orientation_classify: bool = False
    columns: bool = False
    text_det_box_type: BoxType | None = None

    @property
    def sets_detection_size(self) -> bool:
        """Whether the size of the page for detection is the request's choice."""
        return self.text_det_limit_side_len is not None or self.text_det_limit_type is not None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Parameters:
        """Checks untrusted values, as they come from JSON or a V2 request's typed parameters. None means absent.

        Raises:
            InvalidRequest: an unknown name, a wrong type, or a value out of range.
        """
        return cls(**{name: _CHECKS[_known(name)](name, value) for name, value in raw.items() if value is not None})

    @classmethod
    def parse_texts(cls, raw: Mapping[str, str]) -> Parameters:
        """Like `parse`, for sources that have only text: a query string, form fields, metadata. "" means absent."""
        return cls.parse({name: _from_text(_known(name), text.strip()) for name, text in raw.items() if text.strip()})


def _known(name: str) -> str:
    if name not in _CHECKS:
        raise InvalidRequest(f"unknown parameter {_shown(name)}; known are {', '.join(sorted(_CHECKS))}")
    return name


def _number(low: float, high: float, unit: str = "") -> Callable[[str, Any], float]:
    def check(name: str, value: Any) -> float:
        expected = f"a number from {low:g} to {high:g}{unit}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong(name, expected, value)
        # Compared before it is converted: float() of a huge int overflows.
        if not low <= value <= high:
            raise _wrong(name, expected, value)
        return float(value)

    return check


def _whole(low: int, high: int, unit: str) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        # JSON and the V2 protocol don't distinguish 960 from 960.0.
        whole = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value) and value.is_integer())
        if isinstance(value, bool) or not whole or not low <= value <= high:
            raise _wrong(name, f"a whole number from {low} to {high}{unit}", value)
        return int(value)

    return check


def _one_of(*choices: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise _wrong(name, " or ".join(f"'{choice}'" for choice in choices), value)
        return value

    return check


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "text_det_limit_side_len": _whole(32, 4000, " pixels"),
    "text_det_limit_type": _one_of(*get_args(LimitType)),
    "text_det_thresh": _number(0, 1),
    "text_det_box_thresh": _number(0, 1),
    "text_det_unclip_ratio": _number(0, 10),
    "text_det_box_type": _one_of(*get_args(BoxType)),
    "text_rec_score_thresh": _number(0, 1),
    "return_word_box": _boolean,
    "use_textline_orientation": _boolean,
    "use_doc_orientation_classify": _boolean,
    "columns": _boolean,
}
assert _CHECKS.keys() == {field.name for field in fields(Parameters)}

#: Parameters whose values are words.
TEXTS = frozenset({"text_det_limit_type", "text_det_box_type"})
#: Those that are on or off.
_SWITCHES = frozenset(name for name, check in _CHECKS.items() if check is _boolean)
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _from_text(name: str, text: str) -> Any:
    if name in TEXTS:
        return text
    if name in _SWITCHES:
        return _WORDS.get(text.lower(), text)
    try:
        return float(text)
    except ValueError:
        return text


def _wrong(name: str, expected: str, value: Any) -> InvalidRequest:
    return InvalidRequest(f"parameter {name} must be {expected}; got {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:40] + "…")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**15):
        return str(value)
    return "a huge number" if isinstance(value, int) else f"a value of type {type(value).__name__}"
