"""The V2 REST form of tensors: JSON, and the binary extension in both directions.

Protocol: Open Inference Protocol V2 with Triton's binary tensor data extension (`Inference-Header-Content-Length`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from ppocr.serving.tensors import (
    DTYPES,
    NAMES,
    Array,
    TensorRequest,
    TensorResponse,
    bytes_array,
    check_shape,
    from_raw,
    narrow,
    to_raw,
)
from ppocr_api.errors import InvalidRequest

LENGTH_HEADER = "inference-header-content-length"


def parse_json(body: bytes | memoryview, what: str = "the request") -> Any:
    """JSON of a body; what can't be read is InvalidRequest with the place."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"{what} is not JSON: {error.msg} at character {error.pos}") from error


def decode(body: bytes, headers: Mapping[str, str], model_name: str, model_version: str = "") -> TensorRequest:
    """Reads a request body. Tensors of the binary extension are views of it, nothing is copied."""
    head, tail = _split(body, headers.get(LENGTH_HEADER))
    message = parse_json(head)
    if not isinstance(message, dict):
        raise InvalidRequest("the request must be a JSON object with a list 'inputs'")
    tensors = message.get("inputs")
    if not isinstance(tensors, list) or not all(isinstance(tensor, dict) for tensor in tensors):
        raise InvalidRequest("'inputs' must be a list of objects, one a tensor")
    parameters = message.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidRequest("'parameters' must be an object")
    inputs: dict[str, Array] = {}
    as_json: set[str] = set()
    for tensor in tensors:
        name = tensor.get("name")
        if not isinstance(name, str) or name in inputs:
            raise InvalidRequest(f"each input needs a name of its own, and one has {name!r}")
        size = (tensor.get("parameters") or {}).get("binary_data_size")
        if size is None:
            inputs[name] = _from_data(name, tensor)
            as_json.add(name)
        else:
            if not isinstance(size, int) or not 0 <= size <= len(tail):
                raise InvalidRequest(f"input '{name}' says {size!r} binary bytes, and {len(tail)} follow the JSON")
            inputs[name] = from_raw(name, tensor.get("datatype", ""), tensor.get("shape", ()), tail[:size])
            tail = tail[size:]
    if len(tail):
        raise InvalidRequest(f"{len(tail)} bytes follow the last tensor")
    request_id = message.get("id", "")
    binary, wanted = _wanted(message)
    return TensorRequest(
        model_name=model_name,
        model_version=model_version,
        id=request_id if isinstance(request_id, str) else "",
        parameters=parameters,
        inputs=inputs,
        json_inputs=frozenset(as_json),
        wanted=wanted,
        binary=binary,
    )


def _split(body: bytes, length: str | None) -> tuple[memoryview, memoryview]:
    view = memoryview(body)
    if length is None:
        return view, view[len(view) :]
    if not length.isdecimal() or int(length) > len(view):
        raise InvalidRequest(f"Inference-Header-Content-Length is {length!r}, and the body has {len(view)} bytes")
    return view[: int(length)], view[int(length) :]


def _from_data(name: str, tensor: dict[str, Any]) -> Array:
    datatype = tensor.get("datatype")
    if not isinstance(datatype, str) or datatype not in DTYPES:
        raise InvalidRequest(f"input '{name}' has the datatype {datatype!r}; known are {', '.join(DTYPES)}")
    if "data" not in tensor:
        raise InvalidRequest(f"input '{name}' has neither 'data' nor 'binary_data_size'")
    shape = check_shape(name, tensor.get("shape", ()))
    if datatype == "BYTES":
        flat = _flat(name, tensor["data"])
        if not all(isinstance(item, str) for item in flat):
            raise InvalidRequest(f"the elements of BYTES input '{name}' must be strings")
        array = bytes_array([item.encode() for item in flat])
    else:
        array = _numbers(name, tensor["data"], DTYPES[datatype])
    if array.size != int(np.prod(shape, dtype=np.int64)):
        raise InvalidRequest(f"input '{name}' has {array.size} elements, and its shape is {list(shape)}")
    return array.reshape(shape)


def _numbers(name: str, data: Any, dtype: np.dtype[Any]) -> Array:
    try:
        values = np.array(data).ravel()
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidRequest(f"the data of input '{name}' must be a list of numbers, flat or nested evenly") from error
    if values.size and (values.dtype.kind not in "iufb" or (values.dtype.kind == "b") != (dtype.kind == "b")):
        raise InvalidRequest(f"the data of input '{name}' must be {NAMES[dtype]} numbers")
    return narrow(name, values, dtype)


def _flat(name: str, data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise InvalidRequest(f"the data of input '{name}' must be a list")
    flat: list[Any] = data
    while flat and all(isinstance(item, list) for item in flat):
        flat = [inner for item in flat for inner in item]
    return flat


def _wanted(message: Mapping[str, Any]) -> tuple[bool, dict[str, bool]]:
    default = bool((message.get("parameters") or {}).get("binary_data_output", False))
    chosen: dict[str, bool] = {}
    outputs = message.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict) and isinstance(output.get("name"), str):
            parameters = output.get("parameters") or {}
            chosen[output["name"]] = bool(parameters.get("binary_data", default))
    return default, chosen


def encode(response: TensorResponse, request: TensorRequest) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a response. Only the outputs that the request names are sent where it names any."""
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
