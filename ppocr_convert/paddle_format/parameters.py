"""A network's parameters: inference.pdiparams, all tensors in one file in the order of their names.

Each tensor, as paddle/phi/core/framework/dense_tensor_serialize.cc writes it, has a version (uint32, 0), the number of levels
of detail (uint64) and the levels, each with its size in front, a second version, the size of a TensorDesc, the TensorDesc,
and the values.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.framework_pb2 import TensorDesc

#: VarType.Type of framework.proto → NumPy.
DTYPES = {
    0: "bool",
    1: "int16",
    2: "int32",
    3: "int64",
    4: "float16",
    5: "float32",
    6: "float64",
    20: "uint8",
    21: "int8",
}
_BF16 = 22


def read(content: bytes, shapes: Mapping[str, tuple[int, ...]], file: str) -> dict[str, NDArray[Any]]:
    """The tensors of `file`, by name. Raises BundleError if they aren't those that the program asks for in `shapes`."""
    found: dict[str, NDArray[Any]] = {}
    place = 0
    for name in sorted(shapes):
        try:
            value, place = _tensor(content, place)
        except (struct.error, ValueError, KeyError, DecodeError) as error:
            raise BundleError(
                f"{file} ends or is damaged at parameter {len(found) + 1} of {len(shapes)}, {name!r} "
                f"(byte {place} of {len(content)}); is the file complete, and does it belong to this program?"
            ) from error
        # A program has no shape for parameters that only training reads, such as the state of a dropout.
        if shapes[name] and value.shape != tuple(shapes[name]):
            raise BundleError(
                f"{file} doesn't belong to this program: its parameter {name!r} has the shape {list(value.shape)}, and the "
                f"program expects {list(shapes[name])}"
            )
        found[name] = value
    if place != len(content):
        raise BundleError(
            f"{file} has {len(content) - place} bytes more than the program's parameters; does it belong to another program?"
        )
    return found


def _tensor(content: bytes, place: int) -> tuple[NDArray[Any], int]:
    version, levels = struct.unpack_from("<IQ", content, place)
    place += 12
    if version or levels > 8:
        raise ValueError("not a tensor")
    for _ in range(levels):
        (size,) = struct.unpack_from("<Q", content, place)
        place += 8 + size
    version, size = struct.unpack_from("<Ii", content, place)
    place += 8
    if version or size < 0:
        raise ValueError("not a tensor")
    described = TensorDesc.FromString(content[place : place + size])
    place += size
    kind, shape = described.data_type, tuple(described.dims)
    count = int(np.prod(shape, dtype=np.int64))
    if kind == _BF16:
        halves = np.frombuffer(content, "<u2", count, place)
        return (halves.astype(np.uint32) << 16).view(np.float32).reshape(shape), place + 2 * count
    dtype = np.dtype(DTYPES[kind]).newbyteorder("<")
    values = np.frombuffer(content, dtype, count, place).reshape(shape)
    if values.dtype in (np.float16, np.float64):
        values = values.astype(np.float32)
    return values, place + dtype.itemsize * count
