"""What a chart's schema says of a value that Helm is given by `--set`."""

from __future__ import annotations

import re
from typing import Any


def types(option: str, value: str) -> set[str]:
    """The types that Helm may take a value for; what a command prints may be a number."""
    if value == "VALUE" and option == "--set":
        return {"string", "integer"}
    if option == "--set-string":
        return {"string"}
    words = {"true": "boolean", "false": "boolean", "null": "null", "": "string"}
    return {words.get(value, "integer" if re.fullmatch(r"-?\d+", value) else "string")}


def taken(described: Any) -> set[str]:
    """The types that a part of a schema takes, `null` among them, which takes a value away."""
    named = described.get("type", ["boolean", "integer", "string"])
    types = {named} if isinstance(named, str) else set(named)
    return types | {"null"} | ({"integer"} if "number" in types else set())


def value_of(schema: Any, whole: Any, names: list[str]) -> Any:
    """The part of the schema that `names` lead to; None where nothing is described there."""
    while "$ref" in schema:
        found = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    if not names:
        return schema
    name, *rest = names
    if name in schema.get("properties", {}):
        return value_of(schema["properties"][name], whole, rest)
    return {} if "properties" not in schema or schema.get("additionalProperties", True) is not False else None
