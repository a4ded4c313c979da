"""Small changes to what is right: of JSON at any place in it, and of bytes. The dice decide, so that a number repeats them."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from typing import Any

from tests.wrong_types import VALUES

#: What stands in the place of a value: of another type, at a limit, or long.
VALUES_AND_LIMITS: tuple[Any, ...] = (
    *VALUES,
    1,
    -1,
    2**31,
    2**63,
    1e308,
    "\x00",
    "../../etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1:1/",
    "é",
    "😀" * 50,
    "a" * 5_000,
    [[[[]]]],
    [2**31 - 1] * 40,
)
Place = tuple[Any, ...]


def changed(message: Any, dice: random.Random) -> Any:
    """A copy of a JSON value with one to three places changed."""
    message = json.loads(json.dumps(message))
    for _ in range(dice.randint(1, 3)):
        message = _changed_at(message, dice.choice(list(_places(message))), dice)
    return message


def _places(value: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in list(inner)[:50]:
        yield from _places(each, (*at, key))


def _changed_at(value: Any, place: Place, dice: random.Random) -> Any:
    if place:
        key, *rest = place
        copy = dict(value) if isinstance(value, dict) else list(value)
        if rest or dice.random() < 0.7:
            copy[key] = _changed_at(value[key], tuple(rest), dice)
        elif isinstance(copy, dict):
            moved = copy.pop(key)
            if dice.random() < 0.5:
                copy[f"{key}{dice.choice(string.printable)}"] = moved
        else:
            copy[key : key + dice.randint(0, 1)] = [copy[key]] * dice.choice((0, 2, 40))
        return copy
    kind = dice.randrange(4)
    if kind == 0:
        return [value]
    if kind == 1 and isinstance(value, str):
        return changed_text(value, dice)
    return dice.choice(VALUES_AND_LIMITS)


def changed_text(text: str, dice: random.Random) -> str:
    """Text with characters changed."""
    return changed_bytes(text.encode("utf-8", "surrogatepass"), dice).decode("utf-8", "replace")


def changed_bytes(data: bytes, dice: random.Random) -> bytes:
    """`data` with bytes changed, cut out, doubled."""
    mutant = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at = dice.randint(0, len(mutant))
        kind = dice.randrange(4)
        if kind == 0:
            mutant[at : at + 1] = dice.choice(string.printable).encode()
        elif kind == 1:
            del mutant[at : at + dice.randint(1, 20)]
        elif kind == 2:
            mutant[at:at] = mutant[at : at + dice.randint(1, 20)]
        else:
            mutant[at : at + 1] = bytes([dice.randrange(256)])
    return bytes(mutant)
