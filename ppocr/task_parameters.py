"""What the parameters of a network may be, by its task: those that a stage reads are checked before the network serves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from ppocr.contract import DETECTION, LINE_ORIENTATION, PAGE_ORIENTATION, RECOGNITION

Check = Callable[[Any], bool]
#: Longest side that a manifest may name [pixels].
MAX_SIDE: Final = 100_000
#: Longest side that the smallest item of a network may have, and a usual one, and the largest step between two lengths: such
#: items are made before any image asks for them, and sides are rounded to steps [pixels].
MAX_SMALLEST: Final = 2048
MAX_USUAL: Final = 4096
MAX_STEP: Final = 1024


def _number(low: float, high: float) -> Check:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _whole(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


_ORIENTATION: Final[Mapping[str, Check]] = {
    "threshold": _number(0, 1),
    "fit": _one_of("stretch", "pad", "crop"),
    "fill": _whole(0, 255),
    "short_side": _whole(1, 10_000),
}
_CHECKS: Final[Mapping[str, Mapping[str, Check]]] = {
    DETECTION: {
        "limit_side_len": _number(1, MAX_SIDE),
        "limit_type": _one_of("max", "min"),
        "thresh": _number(0, 1),
        "box_thresh": _number(0, 1),
        "unclip_ratio": _number(0, 10),
        "max_candidates": _whole(1, 5_000),
    },
    RECOGNITION: {"stride": _whole(1, 1000)},
    PAGE_ORIENTATION: _ORIENTATION,
    LINE_ORIENTATION: _ORIENTATION,
}
#: The tasks that stages of this release have networks for.
TASKS: Final = frozenset(_CHECKS)


def checked(task: str, raw: Any) -> dict[str, Any]:
    """The parameters of a network. Raises ValueError for one that its stage can't use.

    Of those that no stage reads, texts and finite numbers are kept: a later release may have more.
    """
    if not isinstance(raw, dict):
        raise ValueError("the parameters of a network are a JSON object")
    known = _CHECKS.get(task, {})
    for name in known.keys() & raw.keys():
        if not known[name](raw[name]):
            raise ValueError(f"the parameter {name} of a network for {task} has the wrong type or is out of range")
    return {name: value for name, value in raw.items() if name in known or _is_plain(value)}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
