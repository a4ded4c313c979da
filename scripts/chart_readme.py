#!/usr/bin/env python3
"""Writes each chart's README.md (its table of values) and values.schema.json, and files/paths.json of ppocr's (what a gateway
may publish), from the comments of values.yaml, the services' settings classes and the routes' declarations:
`scripts/chart_readme.py`. A test fails when they are behind.

In values.yaml `# --` begins the description of the value below; `# @schema {…}` adds to what the schema says of it. A map with
a description is one value, a map without one holds values that each have theirs.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import typing
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ppocr.serving import management
from ppocr_local.service import ServeSettings
from predictor.settings import PredictorSettings
from transformer.routes import FORMATS
from transformer.routes.page import page
from transformer.settings import TransformerSettings

ROOT = Path(__file__).parent.parent
CHART = ROOT / "charts" / "ppocr"
RUNTIME = ROOT / "charts" / "ppocr-runtime"
CHARTS = (CHART, RUNTIME)
BEGIN, END = "<!-- values: scripts/chart_readme.py writes what follows -->\n", "<!-- end of values -->\n"
#: Settings that the chart sets from other values, and which those are.
OWNED = {
    "http_port": "ports.http",
    "grpc_port": "ports.grpc",
    "grpc_socket": "mode",
    "model_name": "modelName",
    "formats": "formats",
    "model_dir": "model",
    "predictor_host": "mode",
    "predictor_port": "predictor.ports.grpc",
}
#: Settings that mean nothing in a container of the runtime.
NOT_OF_A_RUNTIME = {"host", "pdserving"}


@dataclass(frozen=True)
class Value:
    """One value: its path, what its comment says, its default."""

    path: tuple[str, ...]
    text: str
    schema: dict[str, Any]
    default: Any


def values(chart: Path = CHART) -> list[Value]:
    """The values of a chart in their order. ValueError where one has no description."""
    source = (chart / "values.yaml").read_text()
    return list(_walk(yaml.compose(source, Loader=yaml.SafeLoader), yaml.safe_load(source), source.splitlines(), ()))


def _walk(node: Any, content: Any, lines: list[str], path: tuple[str, ...]) -> Iterator[Value]:
    for key, value in node.value:
        where, default = (*path, key.value), content[key.value]
        text, schema = _comment(lines, key.start_mark.line)
        if text:
            yield Value(where, text, schema, default)
        elif isinstance(value, yaml.MappingNode) and value.value:
            yield from _walk(value, default, lines, where)
        else:
            raise ValueError(f"values.yaml: {'.'.join(where)} has no comment that begins with '# --'")


def _comment(lines: list[str], line: int) -> tuple[str, dict[str, Any]]:
    block: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        block.insert(0, lines[line].strip().removeprefix("#").strip())
    schema = [part.removeprefix("@schema") for part in block if part.startswith("@schema")]
    text = " ".join(part for part in block if not part.startswith("@schema"))
    if not text.startswith("--"):
        return "", {}
    return text.removeprefix("--").strip(), json.loads(schema[0]) if schema else {}


def schema(chart: Path = CHART) -> str:
    """values.schema.json."""
    root: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Values of the {chart.name} chart",
        **_object(),
    }
    root["properties"]["global"] = {"type": "object", "description": "What a parent chart gives to all its charts."}
    for value in values(chart):
        inner = root
        for name in value.path[:-1]:
            inner = inner["properties"].setdefault(name, _object())
        inner["properties"][value.path[-1]] = _entry(value)
    definitions = {
        "transformerSettings": _settings(TransformerSettings),
        "predictorSettings": _settings(PredictorSettings),
        "sharedSettings": _settings(TransformerSettings, PredictorSettings),
        "runtimeSettings": _settings(ServeSettings, without=NOT_OF_A_RUNTIME),
        **json.loads(Path(__file__).with_name("chart_definitions.json").read_text()),
    }
    used = json.dumps(root["properties"])
    root["$defs"] = {name: found for name, found in definitions.items() if f"#/$defs/{name}" in used}
    return json.dumps(root, indent=1, ensure_ascii=False) + "\n"


def _object() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _entry(value: Value) -> dict[str, Any]:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    type_ = {} if value.schema.keys() & {"$ref", "enum", "anyOf"} else {"type": kinds[type(value.default)]}
    return {**type_, **value.schema, "description": value.text}


def _settings(*classes: type[Any], without: Set[str] = frozenset()) -> dict[str, Any]:
    """What all of `classes` have: a part's settings, or those that both parts share."""
    names = set.intersection(*({field.name for field in dataclasses.fields(cls)} for cls in classes))
    names -= OWNED.keys() | without
    hints = typing.get_type_hints(classes[0])
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    properties = {}
    for field in dataclasses.fields(classes[0]):
        if field.name not in names:
            continue
        limits = {name: field.metadata.get(name) for name in ("minimum", "maximum")}
        properties[field.name] = {
            "type": kinds[hints[field.name]],
            **({"enum": list(field.metadata["choices"])} if field.metadata.get("choices") else {}),
            **{name: limit for name, limit in limits.items() if limit is not None},
            "description": field.metadata["help"],
        }
    return {**_object(), "properties": properties}


def paths() -> str:
    """files/paths.json: group of `gateway.publish` → the path matches of an HTTPRoute."""
    apart = {"/metrics": "metrics", "/openapi.json": "openapi"}
    of_management = [path.path for path in management.DECLARATION.paths]
    groups = {
        "reading": [path.path for each in FORMATS for path in each.declaration.paths],
        "health": [path for path in of_management if path not in apart],
        **{name: [path] for path, name in apart.items() if path in of_management},
        "page": [path.path for path in page().declaration.paths],
    }
    matches = {name: _without_covered({_match(path) for path in found}) for name, found in groups.items()}
    made = {name: [{"type": type_, "value": value} for type_, value in found] for name, found in matches.items()}
    return json.dumps(made, indent=1) + "\n"


def _without_covered(matches: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without exact paths that a prefix among them takes in."""
    prefixes = [value for type_, value in matches if type_ == "PathPrefix"]
    exact = {value for type_, value in matches if type_ == "Exact"}
    covered = {("Exact", path) for path in exact for prefix in prefixes if f"{path}/".startswith(f"{prefix}/")}
    return sorted(matches - covered)


def _match(path: str) -> tuple[str, str]:
    """A match for a path, or for all that begin alike."""
    parts = path.strip("/").split("/")
    fixed = list(itertools.takewhile(lambda part: "{" not in part, parts))
    if len(fixed) == len(parts):
        return "Exact", path
    if fixed:
        return "PathPrefix", f"/{'/'.join(fixed)}"
    return "RegularExpression", re.sub(r"{\w+}", "[^/]+", path)


def readme(chart: Path = CHART) -> str:
    """README.md: what is written by hand, with the table of values in its place."""
    page = (chart / "README.md").read_text()
    before, rest = page.split(BEGIN)
    return before + BEGIN + _tables(chart) + END + rest.split(END)[1]


def _tables(chart: Path) -> str:
    groups: dict[str, list[Value]] = {}
    for value in values(chart):
        groups.setdefault(value.path[0] if len(value.path) > 1 else "Release", []).append(value)
    parts = []
    for name, group in groups.items():
        rows = [f"| `{'.'.join(value.path)}` | {_default(value.default)} | {_cell(value)} |" for value in group]
        title = name if name == "Release" else f"`{name}`"
        parts.append("\n".join([f"### {title}", "| value | default | meaning |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts)


def _default(default: Any) -> str:
    text = default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)
    return f"`{text}`" if text else ""


def _cell(value: Value) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", value.text)


if __name__ == "__main__":
    (CHART / "files" / "paths.json").write_text(paths())
    for chart in CHARTS:
        (chart / "values.schema.json").write_text(schema(chart))
        (chart / "README.md").write_text(readme(chart))
