"""V2 requests and responses as numpy arrays, and their gRPC form.

BYTES tensors are object arrays of `bytes`. Everything that a caller can get wrong ends in InvalidRequest.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr import oip
from ppocr.call import Call
from ppocr_api.errors import InvalidRequest

DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(object),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}

Array = NDArray[Any]

#: Elements of a BYTES tensor and tensors of a request, at most; characters of a tensor's name; numbers that may come one by one.
MAX_ITEMS = 1024
MAX_TENSORS = 64
MAX_NAME = 256
MAX_NUMBERS = 4_000_000

#: The inputs that are read, by name, with their datatypes; None if a request may have any.
Expected = Mapping[str, tuple[str, ...]] | None


@dataclass(frozen=True)
class TensorRequest:
    """One V2 inference request.

    `json_inputs` names the inputs whose elements were sent as JSON (BYTES are text there). `wanted` holds the outputs that it
    names, and whether each goes out as binary data; `binary` says so for the others. `call` is the request that it was sent in.
    """

    model_name: str
    inputs: dict[str, Array]
    model_version: str = ""
    id: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    json_inputs: frozenset[str] = frozenset()
    wanted: dict[str, bool] = field(default_factory=dict)
    binary: bool = False
    call: Call = field(default_factory=Call)

    def tensor(self, name: str, datatype: str, rank: int) -> Array:
        """The input `name`, checked to be of `datatype` and `rank` dimensions."""
        if name not in self.inputs:
            there = ", ".join(sorted(self.inputs)) or "none"
            raise InvalidRequest(f"input '{name}' is missing; the request has {there}")
        array = self.inputs[name]
        if array.dtype != DTYPES[datatype]:
            raise InvalidRequest(f"input '{name}' is {NAMES[array.dtype]}, and must be {datatype}")
        if array.ndim != rank:
            raise InvalidRequest(f"input '{name}' has the shape {list(array.shape)}, and must have {rank} dimensions")
        return array


@dataclass(frozen=True)
class TensorResponse:
    """One V2 inference response: arrays by output name, in order."""

    model_name: str
    outputs: dict[str, Array]
    model_version: str = ""
    id: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def bytes_array(items: Sequence[bytes]) -> Array:
    """An object array [N] of bytes."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def from_raw(name: str, datatype: str, shape: Sequence[Any], raw: bytes | memoryview) -> Array:
    """The array of one tensor's raw little-endian bytes; BYTES elements carry a 4-byte length each."""
    checked = check_shape(name, shape)
    dtype = dtype_of(name, datatype)
    count = math.prod(checked)
    if datatype == "BYTES":
        check_items(name, count)
        return _split_bytes(name, raw, count).reshape(checked)
    if len(raw) != count * dtype.itemsize:
        raise InvalidRequest(
            f"input '{name}' has {len(raw)} bytes, and its shape {list(checked)} of {datatype} "
            f"needs {count * dtype.itemsize}"
        )
    return np.frombuffer(raw, dtype=dtype).reshape(checked)


def to_raw(array: Array) -> bytes:
    """The inverse of `from_raw`."""
    if array.dtype == DTYPES["BYTES"]:
        return b"".join(part for item in array.ravel() for part in (struct.pack("<I", len(item)), item))
    return array.tobytes()


def check_shape(name: str, shape: Sequence[Any]) -> tuple[int, ...]:
    """The shape as a tuple of non-negative integers whose product fits memory."""
    if not isinstance(shape, Sequence) or isinstance(shape, str) or len(shape) > 8:
        raise InvalidRequest(f"the shape of input '{name}' must be a list of at most 8 integers")
    if not all(isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**31 for size in shape):
        raise InvalidRequest(f"the shape of input '{name}' must hold integers from 0 up")
    # NumPy refuses a side of 0 beside sides that are too large together, so zeros don't count.
    if (elements := math.prod(size for size in shape if size)) >= 2**31:
        raise InvalidRequest(f"input '{name}' is too large: its shape has {elements} elements")
    return tuple(shape)


def dtype_of(name: str, datatype: Any) -> np.dtype[Any]:
    """The dtype that a datatype's name stands for."""
    dtype = DTYPES.get(datatype) if isinstance(datatype, str) else None
    if dtype is None:
        raise InvalidRequest(f"input '{name}' has the datatype {shown(datatype)}; known are {', '.join(DTYPES)}")
    return dtype


def check_input(name: Any, datatype: Any, known: Mapping[str, Any], expected: Expected) -> str:
    """The name of an input that isn't among `known` yet. Raises InvalidRequest if it isn't one that is read, and of the right
    datatype: before anything is made of what it holds."""
    if not isinstance(name, str) or len(name) > MAX_NAME or name in known:
        raise InvalidRequest(f"each input needs a name of its own, and one has {shown(name)}")
    if len(known) == MAX_TENSORS:
        raise InvalidRequest(f"the request has more than {MAX_TENSORS} inputs")
    if expected is not None and name not in expected:
        raise InvalidRequest(f"input {shown(name)} is unknown; inputs are {', '.join(expected)}")
    dtype_of(name, datatype)
    if expected is not None and datatype not in expected[name]:
        raise InvalidRequest(f"input '{name}' is {datatype}, and must be {' or '.join(expected[name])}")
    return name


def check_items(name: str, count: int) -> None:
    """Raises InvalidRequest for more elements than a BYTES tensor may have."""
    if count > MAX_ITEMS:
        raise InvalidRequest(f"input '{name}' has {count} elements; a BYTES tensor may have {MAX_ITEMS}")


def shown(value: Any) -> str:
    """`value` in a sentence, cut if it is long."""
    text = repr(value[: MAX_NAME + 1] if isinstance(value, str | bytes) else value)
    return text if len(text) <= MAX_NAME else f"{text[:60]}…"


def _split_bytes(name: str, raw: bytes | memoryview, count: int) -> Array:
    view, offset = memoryview(raw), 0
    items: list[bytes] = []
    for _ in range(count):
        if offset + 4 > len(view):
            raise InvalidRequest(f"input '{name}' ends after {len(items)} of its {count} elements")
        (length,) = struct.unpack_from("<I", view, offset)
        offset += 4
        if offset + length > len(view):
            raise InvalidRequest(
                f"element {len(items)} of input '{name}' says {length} bytes, and {len(view) - offset} follow"
            )
        items.append(bytes(view[offset : offset + length]))
        offset += length
    if offset != len(view):
        raise InvalidRequest(f"input '{name}' has {len(view) - offset} bytes after its last element")
    return bytes_array(items)


def narrow(name: str, values: Array, dtype: np.dtype[Any]) -> Array:
    """`values` as `dtype`; integers that don't fit are refused, not wrapped."""
    if values.size and dtype.kind in "iu":
        if values.dtype.kind not in "iu":
            raise InvalidRequest(f"input '{name}' is {NAMES[dtype]}, and holds values that are no integers")
        low, high = int(values.min()), int(values.max())
        info = np.iinfo(dtype)
        if low < info.min or high > info.max:
            raise InvalidRequest(
                f"input '{name}' is {NAMES[dtype]}, and holds {low if low < info.min else high}, "
                f"outside of {info.min} to {info.max}"
            )
    with np.errstate(over="ignore"):  # a number beyond FP16 or FP32 is infinite there
        return values.astype(dtype)


def request_to_grpc(model_name: str, inputs: dict[str, Array], model_version: str = "") -> Any:
    """Writes an `oip.ModelInferRequest` with raw contents."""
    message = oip.ModelInferRequest(model_name=model_name, model_version=model_version)
    for name, array in inputs.items():
        message.inputs.add(name=name, datatype=NAMES[array.dtype], shape=array.shape)
        message.raw_input_contents.append(to_raw(array))
    return message


def response_from_grpc(message: Any) -> TensorResponse:
    """Reads an `oip.ModelInferResponse` with raw contents; of its parameters those that are text."""
    outputs = {
        tensor.name: from_raw(tensor.name, tensor.datatype, tuple(tensor.shape), raw)
        for tensor, raw in zip(message.outputs, message.raw_output_contents, strict=True)
    }
    parameters = {key: value.string_param for key, value in message.parameters.items()}
    return TensorResponse(message.model_name, outputs, message.model_version, message.id, parameters)
