"""inference.json: a program of Paddle's new intermediate representation (PIR), as Paddle 3 writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.program import Operator, Program

_BUILTIN = "0"
#: builtin.split takes a list of tensors apart, and builtin.slice takes one out. They are renamed here, because operators on
#: tensors have the same names.
_OF_LISTS = {"split": "unpack", "slice": "item"}


def read(content: bytes) -> Program:
    """Raises BundleError if `content` isn't such a program."""
    try:
        raw = json.loads(content)
    except ValueError as error:
        raise BundleError(f"inference.json is not JSON, or cut off: {error}") from error
    try:
        if raw["base_code"]["magic"] != "pir":
            raise BundleError("inference.json is not a program of Paddle's PIR")
        regions = raw["program"]["regions"]
        (block,) = regions[0]["blocks"]
        return _Reader().program(block["ops"])
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise BundleError(
            f"inference.json is not a program of Paddle's PIR as Paddle 3.0 to 3.2 write it: {error!r}"
        ) from error


class _Reader:
    def __init__(self) -> None:
        self._operators: list[Operator] = []
        self._parameters: dict[str, tuple[int, ...]] = {}
        self._names: dict[str, str] = {}
        self._feeds: dict[str, tuple[int, ...]] = {}
        self._fetches: list[str] = []
        self._lists: dict[str, tuple[str, ...]] = {}
        self._ranks: dict[str, int] = {}

    def program(self, operators: list[dict[str, Any]]) -> Program:
        for raw in operators:
            if raw["#"] == "p":
                self._parameter(raw)
            else:
                self._operator(raw)
        made = tuple(self._operators)
        return Program(made, self._parameters, self._names, self._feeds, tuple(self._fetches), self._lists, self._ranks)

    def _parameter(self, raw: dict[str, Any]) -> None:
        if raw.get("OA") and not raw["OA"][0]:
            return  # not persistable: the state of a dropout, which no file holds
        name, output = raw["A"][3], raw["O"]
        self._parameters[name] = tuple(output["TT"]["D"][1])
        self._names[name] = _name(output)
        self._ranks[_name(output)] = len(self._parameters[name])

    def _operator(self, raw: dict[str, Any]) -> None:
        dialect, _, kind = raw["#"].partition(".")
        outputs, read = raw["O"], tuple(_name(item) for item in raw["I"])
        written = tuple(_name(output) for output in outputs)
        for output, name in zip(outputs, written, strict=True):
            if name and output["TT"]["#"].endswith("t_dtensor"):
                self._ranks[name] = len(output["TT"]["D"][1])
        if kind in ("feed", "data"):
            self._feeds[written[0]] = tuple(outputs[0]["TT"]["D"][1])
        elif kind == "fetch":
            self._fetches.append(read[0])
        elif kind == "combine":
            self._lists[written[0]] = read
        elif dialect == _BUILTIN and kind in _OF_LISTS:
            self._operators.append(Operator(_OF_LISTS[kind], read, written, _attributes(raw["A"])))
        else:
            self._operators.append(Operator(kind.removesuffix("_"), read, written, _attributes(raw["A"])))
            for output, name in zip(outputs, written, strict=True):
                if name and output["TT"]["#"].endswith("t_vec"):
                    self._lists[name] = tuple(f"{name}.{place}" for place in range(len(output["TT"]["D"])))


def _name(item: Mapping[str, Any]) -> str:
    """Tensors are numbered; 0 stands for none."""
    return f"t{item['%']}" if item["%"] else ""


def _attributes(raw: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["N"]: _value(item["AT"]) for item in raw}


def _value(raw: Any) -> Any:
    """{"#": "0.a_array", "D": [{"#": "0.a_i32", "D": 1}]} → [1]."""
    content = raw.get("D")
    if isinstance(content, list) and raw["#"].endswith("a_array"):
        return [_value(item) for item in content]
    return content
