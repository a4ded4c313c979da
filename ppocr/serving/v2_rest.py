"""The V2 REST form of tensors: JSON, and the binary extension in both directions.

Protocol: Open Inference Protocol V2 with Triton's binary tensor data extension (`Inference-Header-Content-Length`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from ppocr.serving.json_body import MAX_VALUES, member, members, parse_json
from ppocr.serving.tensors import (
    DTYPES,
    MAX_NUMBERS,
    NAMES,
    Array,
    Expected,
    TensorRequest,
    TensorResponse,
    bytes_array,
    check_input,
    check_items,
    check_shape,
    dtype_of,
    from_raw,
    narrow,
    to_raw,
)
from ppocr_api.errors import InvalidRequest

LENGTH_HEADER = "inference-header-content-length"
#: Of a length that any body can have.
MAX_DIGITS = 19


def decode(
    body: bytes, headers: Mapping[str, str], model_name: str, model_version: str = "", expected: Expected = None
) -> TensorRequest:
    """Reads a request body. Tensors of the binary extension are views of it, nothing is copied."""
    if not body:
        raise InvalidRequest("the request is empty, and must be JSON")
    head, tail = _split(body, headers.get(LENGTH_HEADER))
    message = parse_json(head, most=MAX_NUMBERS if expected is None else MAX_VALUES)
    if not isinstance(message, dict) or message.get("inputs") is None:
        raise InvalidRequest("the request must be a JSON object with a list 'inputs'")
    inputs: dict[str, Array] = {}
    as_json: set[str] = set()
    for tensor in members(message, "inputs"):
        name = check_input(tensor.get("name"), tensor.get("datatype"), inputs, expected)
        where = f"input '{name}'"
        extension: dict[str, Any] = member(tensor, "parameters", dict, {}, where)
        if extension.get("binary_data_size") is None and len(tail) and "data" not in tensor:
            # OpenVINO Model Server's clients leave the size of the last tensor out: it is what is left.
            inputs[name] = from_raw(name, tensor.get("datatype", ""), tensor.get("shape", ()), tail)
            tail = tail[len(tail) :]
        elif extension.get("binary_data_size") is None:
            inputs[name] = _from_data(name, tensor)
            as_json.add(name)
        else:
            size = member(extension, "binary_data_size", int, 0, where)
            if not 0 <= size <= len(tail):
                raise InvalidRequest(f"{where} says {size} binary bytes, and {len(tail)} follow the JSON")
            inputs[name] = from_raw(name, tensor.get("datatype", ""), tensor.get("shape", ()), tail[:size])
            tail = tail[size:]
    if len(tail):
        raise InvalidRequest(f"{len(tail)} bytes follow the last tensor")
    parameters: dict[str, Any] = member(message, "parameters", dict, {})
    binary = member(parameters, "binary_data_output", bool, False, "parameters")
    return TensorRequest(
        model_name=model_name,
        model_version=model_version,
        id=member(message, "id", str, ""),
        parameters=parameters,
        inputs=inputs,
        json_inputs=frozenset(as_json),
        wanted=_wanted(message, binary),
        binary=binary,
    )


def _split(body: bytes, length: str | None) -> tuple[memoryview, memoryview]:
    view = memoryview(body)
    if length is None:
        return view, view[len(view) :]
    # Python turns no more than 4,300 digits into a number.
    if not length.isdecimal() or len(length) > MAX_DIGITS or int(length) > len(view):
        raise InvalidRequest(
            f"Inference-Header-Content-Length is {length[:MAX_DIGITS]!r}, and the body has {len(view)} bytes"
        )
    return view[: int(length)], view[int(length) :]


def _from_data(name: str, tensor: dict[str, Any]) -> Array:
    dtype = dtype_of(name, tensor.get("datatype"))
    if "data" not in tensor:
        raise InvalidRequest(f"input '{name}' has neither 'data' nor 'binary_data_size'")
    shape = check_shape(name, tensor.get("shape", ()))
    if dtype == DTYPES["BYTES"]:
        flat = _flat(name, tensor["data"])
        check_items(name, len(flat))
        if not all(isinstance(item, str) for item in flat):
            raise InvalidRequest(f"the elements of BYTES input '{name}' must be strings")
        array = bytes_array([item.encode() for item in flat])
    else:
        array = _numbers(name, tensor["data"], dtype)
    if array.size != int(np.prod(shape, dtype=np.int64)):
        raise InvalidRequest(f"input '{name}' has {array.size} elements, and its shape is {list(shape)}")
    return array.reshape(shape)


def _numbers(name: str, data: Any, dtype: np.dtype[Any]) -> Array:
    flat = _flat(name, data)
    # Looked at before NumPy sees them: of one long text among numbers it would make as many texts of that length.
    if not set(map(type, flat)) <= ({bool} if dtype.kind == "b" else {int, float}):
        raise InvalidRequest(f"the data of input '{name}' must be {NAMES[dtype]} numbers")
    values = np.array(flat)
    if values.dtype.kind not in "iufb":
        raise InvalidRequest(f"the data of input '{name}' holds numbers outside of {NAMES[dtype]}")
    return narrow(name, values, dtype)


def _flat(name: str, data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise InvalidRequest(f"the data of input '{name}' must be a list")
    flat: list[Any] = data
    while flat and all(isinstance(item, list) for item in flat):
        if len(set(map(len, flat))) > 1:
            raise InvalidRequest(f"the data of input '{name}' must be a list, flat or nested evenly")
        flat = [inner for item in flat for inner in item]
    return flat


def _wanted(message: Mapping[str, Any], binary: bool) -> dict[str, bool]:
    """The outputs that the request names, and whether each is to come as binary data."""
    chosen: dict[str, bool] = {}
    for output in members(message, "outputs"):
        name = member(output, "name", str, "", "an output")
        where = f"output '{name}'"
        chosen[name] = member(member(output, "parameters", dict, {}, where), "binary_data", bool, binary, where)
    return chosen


def encode(response: TensorResponse, request: TensorRequest) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a response. Only the outputs that the request names are sent if it names any."""
    chosen = request.wanted
    unknown = set(chosen) - set(response.outputs)
    if unknown:
        raise InvalidRequest(f"no output is named '{sorted(unknown)[0]}'; there are {', '.join(response.outputs)}")
    outputs, tails = [], []
    for name, array in response.outputs.items():
        if chosen and name not in chosen:
            continue
        entry: dict[str, Any] = {"name": name, "datatype": NAMES[array.dtype], "shape": list(array.shape)}
        if chosen.get(name, request.binary):
            tails.append(to_raw(array))
            entry["parameters"] = {"binary_data_size": len(tails[-1])}
        elif array.dtype == object:
            entry["data"] = [item.decode("utf-8", "replace") for item in array.ravel()]
        else:
            entry["data"] = np.ascontiguousarray(array).ravel()
        outputs.append(entry)
    message: dict[str, Any] = {"model_name": response.model_name, "model_version": response.model_version}
    if response.id:
        message["id"] = response.id
    if response.parameters:
        message["parameters"] = response.parameters
    message["outputs"] = outputs
    head = orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY)
    if not tails:
        return head, {"content-type": "application/json"}
    headers = {"content-type": "application/octet-stream", LENGTH_HEADER: str(len(head))}
    return b"".join([head, *tails]), headers
