"""Parses JSON of a caller. Any error in it is an InvalidRequest with its position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson

from ppocr_api.errors import InvalidRequest
from ppocr_limits.json_values import most_values

T = TypeVar("T")

_KINDS: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a whole number",
}

#: What the parser's messages say, by a part of them.
_REASONS = {"UTF-8": "what is not valid UTF-8", "depth": "nesting beyond the depth limit", "end": "an early end"}


#: Values that a body may have: far more than any request for images, and parsed in some milliseconds.
MAX_VALUES = 100_000


def parse_json(body: bytes | memoryview, what: str = "the request", most: int = MAX_VALUES) -> Any:
    """JSON of a body; what can't be read is InvalidRequest with the place, and so are more than `most` values."""
    try:
        return loaded(body, what, most)
    except orjson.JSONDecodeError as error:
        found = next((said for part, said in _REASONS.items() if part in error.msg), "unexpected text")
        raise InvalidRequest(f"{what} is not JSON: {found} at character {error.pos}") from error


def loaded(body: bytes | memoryview, what: str = "the request", most: int = MAX_VALUES) -> Any:
    """The same, for formats with errors of their own: what is no JSON is orjson.JSONDecodeError."""
    if most_values(body) > most:
        raise InvalidRequest(f"{what} has more than {most} values (or commas and brackets in its texts)")
    return orjson.loads(body)


def member(parent: Mapping[str, Any], name: str, kind: type[T], default: T, where: str = "") -> T:
    """The member `name`, or `default` if it is absent or null. InvalidRequest if it is of another type.

    `where` says in errors whose member it is: "input 'image'".
    """
    value = parent.get(name)
    if value is None:
        return default
    if type(value) is not kind:  # exactly: true is an int to Python, and isn't a number in JSON
        raise InvalidRequest(f"{where + ': ' if where else ''}'{name}' must be {_KINDS[kind]}")
    return value


def members(parent: Mapping[str, Any], name: str, where: str = "") -> list[dict[str, Any]]:
    """The member `name`, a list of objects; empty if it is absent or null."""
    items = member(parent, name, list, [], where)
    if not all(type(item) is dict for item in items):
        raise InvalidRequest(f"{where + ': ' if where else ''}'{name}' must be a list of objects")
    return items
