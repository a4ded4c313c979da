"""A request of PaddleServing's pipeline: from JSON, which is read as grpc-gateway reads it, or from its message over gRPC.

grpc-gateway reads the first JSON value of a body and ignores the rest. `elem_type` and `elemType` are the same member; null
is a member's default; unknown members are ignored; a value of the wrong type is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, NoReturn

import orjson

from ppocr.serving.json_body import loaded
from ppocr_api.errors import InvalidRequest

PACKAGE_ERROR: Final = 8000
#: elem_type → the member that holds the elements.
_DATA: Final = {
    0: "int64_data",
    1: "float_data",
    2: "int_data",
    3: "float64_data",
    4: "int_data",
    5: "float_data",
    6: "uint32_data",
    7: "uint32_data",
    8: "int_data",
    9: "bool_data",
}
#: Maximum size of a body that isn't strict JSON, because parsing it takes ten times as much memory.
_MAX_SLOPPY: Final = 4 << 20
_COMPLEX: Final = (10, 11)
_STRINGS: Final = 12
_PICKLED: Final = 13
#: Maximum number of dimensions of a tensor: the product of thousands of sizes takes seconds.
_MAX_DIMENSIONS: Final = 32
_INT64 = range(-(2**63), 2**63)
_INT32 = range(-(2**31), 2**31)


class JsonMismatch(InvalidRequest):
    """Invalid JSON, or JSON that doesn't fit the message: the pipeline's only HTTP 400."""


class Refused(InvalidRequest):
    """An error that the pipeline reports as an `err_no` inside a 200."""

    def __init__(self, message: str, err_no: int) -> None:
        super().__init__(message)
        self.err_no = err_no


@dataclass(frozen=True, slots=True)
class Tensor:
    """`sizes`: how many elements each of its members has; `strings` are those of `str_data`."""

    name: str
    elem_type: int
    strings: Sequence[str]
    sizes: Mapping[str, int]
    shape: Sequence[int]


@dataclass(frozen=True, slots=True)
class PipelineRequest:
    """A parsed request, over either protocol."""

    keys: Sequence[str] = ()
    values: Sequence[str] = ()
    tensors: Sequence[Tensor] = ()
    name: str = ""
    logid: int = 0

    def fields(self) -> dict[str, str | None]:
        """Texts by name, None for a tensor of numbers. Raises Refused if the pipeline can't unpack it."""
        if len(self.values) < len(self.keys):
            raise Refused(f"rpc package error: {len(self.keys)} keys and {len(self.values)} values", PACKAGE_ERROR)
        named: dict[str, str | None] = dict(zip(self.keys, self.values, strict=False))
        return named | {tensor.name: _unpacked(tensor) for tensor in self.tensors}


def from_message(message: Any) -> PipelineRequest:
    """Of the message of a gRPC call."""
    tensors = [
        Tensor(
            each.name,
            each.elem_type,
            list(each.str_data),
            {member: len(getattr(each, member)) for member in set(_DATA.values())},
            list(each.shape),
        )
        for each in message.tensors
    ]
    return PipelineRequest(list(message.key), list(message.value), tensors, message.name, message.logid)


def from_json(body: bytes) -> PipelineRequest:
    """Of a body over HTTP. Raises JsonMismatch."""
    read = _members(_json(body), "the request", _REQUEST)
    return PipelineRequest(
        read.get("key", ()), read.get("value", ()), read.get("tensors", ()), read.get("name", ""), read.get("logid", 0)
    )


def _unpacked(tensor: Tensor) -> str | None:
    kind = tensor.elem_type
    if kind == _STRINGS:
        return "".join(tensor.strings)
    if kind == _PICKLED:
        raise Refused(
            f"rpc package error: tensor {tensor.name} is pickled, and pickled data is not accepted", PACKAGE_ERROR
        )
    if kind in _COMPLEX:
        raise Refused(f"rpc package error: tensors of the type {kind} are not supported", PACKAGE_ERROR)
    if kind not in _DATA:
        raise Refused(f"rpc package error: elem_type:{kind} error", PACKAGE_ERROR)
    size = tensor.sizes.get(_DATA[kind], 0)
    if len(tensor.shape) > _MAX_DIMENSIONS:
        message = f"rpc package error: a shape of {len(tensor.shape)} sizes; the maximum is {_MAX_DIMENSIONS}"
        raise Refused(message, PACKAGE_ERROR)
    if size != prod(tensor.shape):
        raise Refused(f"rpc package error: {size} elements do not have the shape {list(tensor.shape)}", PACKAGE_ERROR)
    return None


def _json(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return loaded(body, "the body")
    except orjson.JSONDecodeError as error:
        if len(body) > _MAX_SLOPPY:
            raise JsonMismatch(f"the body is not JSON: {error.msg}") from error
    except InvalidRequest as error:
        raise JsonMismatch(error.message) from error
    # Only the first value counts, and bytes that aren't UTF-8 are replaced.
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    try:
        return json.JSONDecoder(parse_constant=_no_number).raw_decode(text)[0]
    except (ValueError, RecursionError) as error:
        where = f": {error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise JsonMismatch(f"the body is not JSON{where}") from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


Reader = Callable[[Any, str], Any]


def _members(value: Any, where: str, readers: Mapping[str, Reader]) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _mismatch(where, "an object")
    known = {_SNAKE.get(name, name): each for name, each in value.items() if each is not None}
    return {name: read(known[name], name) for name, read in readers.items() if name in known}


def _mismatch(where: str, expected: str) -> JsonMismatch:
    return JsonMismatch(f"{where} must be {expected}")


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _mismatch(where, "text")
    # Python's parser gives halves of surrogate pairs, which no text that goes out may hold; Go replaces them too.
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole(allowed: range) -> Reader:
    def read(value: Any, where: str) -> int:
        try:
            number = int(value) if isinstance(value, str) and value.lstrip("-").isdecimal() else value
        except ValueError:  # more digits than Python reads
            number = value
        if type(number) is not int or number not in allowed:
            raise _mismatch(where, "a whole number that its type can hold")
        return number

    return read


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(where, "a number")
    return 0.0  # only how many there are counts


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _mismatch(where, "true or false")
    return value


def _list(read: Reader) -> Reader:
    def each(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise _mismatch(where, "a list")
        return [read(item, where) for item in value]

    return each


def _tensor(value: Any, where: str) -> Tensor:
    read = _members(value, where, _TENSOR)
    sizes = {name: len(read[name]) for name in set(_DATA.values()) if name in read}
    return Tensor(
        read.get("name", ""), read.get("elem_type", 0), read.get("str_data", ()), sizes, read.get("shape", ())
    )


_TENSOR: Final[Mapping[str, Reader]] = {
    "name": _text,
    "elem_type": _whole(_INT32),
    "str_data": _list(_text),
    "byte_data": _text,
    "shape": _list(_whole(_INT32)),
    "lod": _list(_whole(_INT32)),
    "int64_data": _list(_whole(_INT64)),
    "int_data": _list(_whole(_INT32)),
    "uint32_data": _list(_whole(range(2**32))),
    "float_data": _list(_number),
    "float64_data": _list(_number),
    "bool_data": _list(_truth),
}
_REQUEST: Final[Mapping[str, Reader]] = {
    "key": _list(_text),
    "value": _list(_text),
    "tensors": _list(_tensor),
    "name": _text,
    "method": _text,
    "logid": _whole(_INT64),
    "clientip": _text,
}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


_SNAKE: Final = {_camel(name): name for name in _TENSOR if "_" in name}
