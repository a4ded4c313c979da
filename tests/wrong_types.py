"""A JSON message with one value of a wrong type, at every place and of every type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: One or two values of every JSON type.
VALUES: tuple[Any, ...] = (None, True, 0, -7, 2**70, 0.5, "", "text", [], [1], {}, {"a": 1})


def wrong_types(message: Any) -> Iterator[tuple[str, Any]]:
    """(place, message): `message` with the value at that place replaced by one of another type."""
    yield from ((place, mutant) for place, mutant in _replaced(message, "$"))


def _replaced(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    for other in VALUES:
        if type(other) is not type(value):
            yield f"{place} = {other!r}", other
    if isinstance(value, dict):
        for key, inner in value.items():
            for where, mutant in _replaced(inner, f"{place}.{key}"):
                yield where, {**value, key: mutant}
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            for where, mutant in _replaced(inner, f"{place}[{index}]"):
                yield where, [*value[:index], mutant, *value[index + 1 :]]
