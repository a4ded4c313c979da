"""Values that a declared schema allows, as hypothesis makes them: of the keywords that the declarations use, and no others."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import seeds

Strategy = st.SearchStrategy[Any]

#: Image files that are quick to read, those that aren't whole, and none.
IMAGES = st.one_of(st.just(seeds.dot()), st.sampled_from(seeds.images()), st.binary(max_size=40))
_NAMES = st.sampled_from(["image", "ppocr", "ocr", "BYTES", "UINT8", "FP32", "text", "max", "res", "x", "1", ""])
_TEXTS = st.one_of(_NAMES, st.text(max_size=30))
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), _TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)


def from_schema(schema: Mapping[str, Any]) -> Strategy:
    """A strategy for the values of `schema`."""
    if "anyOf" in schema:
        return st.one_of(*(from_schema(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    return _VALUES if kind is None else _KINDS[kind](schema)


def base64_of(image: bytes) -> str:
    return base64.b64encode(image).decode()


def _object(schema: Mapping[str, Any]) -> Strategy:
    members = {name: from_schema(each) for name, each in schema.get("properties", {}).items()}
    if not members:
        return st.dictionaries(_TEXTS, _VALUES, max_size=3)
    required = schema.get("required", ())
    return st.fixed_dictionaries(
        {name: each for name, each in members.items() if name in required},
        optional={name: each for name, each in members.items() if name not in required},
    )


def _string(schema: Mapping[str, Any]) -> Strategy:
    if schema.get("format") == "byte":
        return IMAGES.map(base64_of)
    return IMAGES if schema.get("format") == "binary" else _TEXTS | IMAGES.map(base64_of)


def _array(schema: Mapping[str, Any]) -> Strategy:
    return st.lists(from_schema(schema.get("items", {})), min_size=schema.get("minItems", 0), max_size=3)


def _integer(schema: Mapping[str, Any]) -> Strategy:
    return st.integers(schema.get("minimum", -5), schema.get("maximum", 5_000)) | st.integers()


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Strategy]] = {
    "object": _object,
    "string": _string,
    "array": _array,
    "integer": _integer,
    "number": lambda _: st.floats(-0.5, 2) | st.floats(allow_nan=False, allow_infinity=False),
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
}
