"""The V2 gRPC form of tensors: a ModelInferRequest read, raw or with typed contents, and a ModelInferResponse written."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ppocr import oip
from ppocr.serving.tensors import (
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

_CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def from_grpc(message: Any, expected: Expected = None) -> TensorRequest:
    """Reads an `oip.ModelInferRequest`, raw or with typed contents."""
    raws = message.raw_input_contents
    if raws and len(raws) != len(message.inputs):
        raise InvalidRequest(f"there are {len(message.inputs)} inputs and {len(raws)} raw contents")
    inputs: dict[str, Array] = {}
    for index, tensor in enumerate(message.inputs):
        check_input(tensor.name, tensor.datatype, inputs, expected)
        if raws:
            if tensor.HasField("contents"):
                raise InvalidRequest(f"input '{tensor.name}' has contents and raw contents; send one of them")
            inputs[tensor.name] = from_raw(tensor.name, tensor.datatype, tuple(tensor.shape), raws[index])
        else:
            inputs[tensor.name] = _from_contents(tensor)
    return TensorRequest(
        model_name=message.model_name,
        model_version=message.model_version,
        id=message.id,
        parameters={key: parameter_value(value) for key, value in message.parameters.items()},
        inputs=inputs,
    )


def _from_contents(tensor: Any) -> Array:
    dtype = dtype_of(tensor.name, tensor.datatype)
    shape = check_shape(tensor.name, tuple(tensor.shape))
    if tensor.datatype not in _CONTENTS:
        raise InvalidRequest(f"input '{tensor.name}' is {tensor.datatype}, which must come as raw contents")
    values = getattr(tensor.contents, _CONTENTS[tensor.datatype])
    if len(values) != math.prod(shape):
        raise InvalidRequest(
            f"input '{tensor.name}' has {len(values)} elements in {_CONTENTS[tensor.datatype]}, "
            f"and its shape {list(shape)} needs {math.prod(shape)}"
        )
    if tensor.datatype == "BYTES":
        check_items(tensor.name, len(values))
        return bytes_array(list(values)).reshape(shape)
    return narrow(tensor.name, np.array(values), dtype).reshape(shape)


def to_grpc(response: TensorResponse) -> Any:
    """Writes an `oip.ModelInferResponse` with raw contents."""
    message = oip.ModelInferResponse(
        model_name=response.model_name, model_version=response.model_version, id=response.id
    )
    for key, value in response.parameters.items():
        message.parameters[key].string_param = value
    for name, array in response.outputs.items():
        message.outputs.add(name=name, datatype=NAMES[array.dtype], shape=array.shape)
        message.raw_output_contents.append(to_raw(array))
    return message


def parameter_value(parameter: Any) -> bool | int | float | str | None:
    """The value of an InferParameter, whichever of its fields is set."""
    choice = parameter.WhichOneof("parameter_choice")
    return None if choice is None else getattr(parameter, choice)
