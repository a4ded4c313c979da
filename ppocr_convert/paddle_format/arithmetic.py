"""Sums, products, reductions and constants: from Paddle to ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.builder import Builder, translates
from ppocr_convert.paddle_format.parameters import DTYPES
from ppocr_convert.paddle_format.program import Operator

_BINARY = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "maximum": "Max",
    "minimum": "Min",
    "elementwise_pow": "Pow",
}
_REDUCTIONS = {"mean": "ReduceMean", "sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin"}


@translates(*_BINARY)
def _binary(builder: Builder, operator: Operator) -> None:
    builder.node(_BINARY[operator.kind], [operator.input(0), operator.input(1)], operator.outputs[0])


@translates("scale")
def _scale(builder: Builder, operator: Operator) -> None:
    """scale · x + bias, or scale · (x + bias)."""
    x, out = operator.input(0), operator.outputs[0]
    dtype = np.int64 if x in builder.whole else np.float32
    factor = operator.inputs[1] if len(operator.inputs) > 1 and operator.inputs[1] else ""
    known = builder.constants.get(factor)
    value = float(known.reshape(-1)[0]) if known is not None else operator.get("scale", 1.0)
    bias = operator.get("bias", 0.0)
    steps: list[tuple[str, str]] = []
    if factor and known is None:
        steps.append(("Mul", factor))
    elif value != 1.0:
        steps.append(("Mul", builder.add(f"{out}.factor", value, dtype)))
    if bias:
        addition = ("Add", builder.add(f"{out}.bias", bias, dtype))
        steps.insert(len(steps) if operator.get("bias_after_scale", True) else 0, addition)
    for place, (kind, other) in enumerate(steps):
        x = builder.node(kind, [x, other], out if place == len(steps) - 1 else f"{out}.first")
    if not steps:
        builder.alias(x, out)


@translates("pow")
def _pow(builder: Builder, operator: Operator) -> None:
    out = operator.outputs[0]
    exponent = operator.get("y", operator.get("factor", 1.0))
    builder.node("Pow", [operator.input(0), builder.add(f"{out}.exponent", exponent)], out)


@translates("rsqrt")
def _rsqrt(builder: Builder, operator: Operator) -> None:
    out = operator.outputs[0]
    builder.node("Reciprocal", [builder.node("Sqrt", [operator.input(0)], f"{out}.root")], out)


@translates("clip")
def _clip(builder: Builder, operator: Operator) -> None:
    out = operator.outputs[0]
    limits = []
    for place, name in ((1, "low"), (2, "high")):
        value = builder.constants.get(operator.input(place))
        if value is None:
            raise BundleError("a clip whose limits are computed can't be translated")
        limits.append(builder.add(f"{out}.{name}", float(value.reshape(-1)[0])))
    builder.node("Clip", [operator.input(0), *limits], out)


@translates("matmul", "bmm", "mul")
def _matmul(builder: Builder, operator: Operator) -> None:
    x, y, out = operator.input(0), operator.input(1), operator.outputs[0]
    if operator.kind == "mul" and builder.rank(x) != operator.get("x_num_col_dims", 1) + 1:
        raise BundleError("a product that flattens its first factor can't be translated")
    if operator.get("transpose_x", False):
        x = _transposed(builder, x, f"{out}.x")
    if operator.get("transpose_y", False):
        y = _transposed(builder, y, f"{out}.y")
    alpha = operator.get("alpha", 1.0)
    if alpha == 1.0:
        builder.node("MatMul", [x, y], out)
        return
    builder.node("MatMul", [x, y], f"{out}.product")
    builder.node("Mul", [f"{out}.product", builder.add(f"{out}.alpha", alpha)], out)


def _transposed(builder: Builder, name: str, output: str) -> str:
    known = builder.constants.get(name)
    if known is not None:
        return builder.add(output, np.swapaxes(known, -1, -2))
    axes = list(range(builder.rank(name)))
    return builder.node("Transpose", [name], output, perm=[*axes[:-2], axes[-1], axes[-2]])


@translates("softmax")
def _softmax(builder: Builder, operator: Operator) -> None:
    rank, axis = builder.rank(operator.input(0)), operator.get("axis", -1)
    if axis % rank != rank - 1:
        raise BundleError(f"a softmax over dimension {axis} of {rank} can't be translated; over the last one it can")
    builder.node("Softmax", [operator.input(0)], operator.outputs[0], axis=rank - 1)


@translates(*_REDUCTIONS)
def _reduce(builder: Builder, operator: Operator) -> None:
    given = operator.inputs[1] if len(operator.inputs) > 1 and operator.inputs[1] else ""
    axis = builder.ints(given, "the dimensions of a reduction") if given else operator.get("axis", [])
    axes = axis if isinstance(axis, list) else [axis]
    everything = not axes or operator.get("reduce_all", False)
    builder.node(
        _REDUCTIONS[operator.kind],
        [operator.input(0)],
        operator.outputs[0],
        keepdims=int(operator.get("keepdim", False)),
        **({} if everything else {"axes": axes}),
    )


@translates("full", "full_int_array", "full_array", "assign_value")
def _full(builder: Builder, operator: Operator) -> None:
    """A constant. If the shape of a `full` is computed, only its value is known, which is all that readers need."""
    out = operator.outputs[0]
    value = operator.get("value", 0.0)
    whole = operator.kind == "full_int_array" or _is_whole(operator.get("dtype", "float32"))
    dtype = np.int64 if whole else np.float32
    if operator.kind in ("full_int_array", "full_array"):
        builder.add(out, value, dtype)
        return
    if operator.kind == "assign_value":
        names = ("values", "fp32_values", "int32_values", "int64_values")
        values: list[Any] = next((found for name in names if (found := operator.get(name))), [])
        builder.add(out, np.asarray(values, dtype).reshape(operator.get("shape")), dtype)
        return
    shape = operator.get("shape")
    if operator.inputs and operator.inputs[0]:
        shape = builder.known_ints(operator.inputs[0])
    text = operator.get("str_value")
    number = float(text) if text else float(value)
    builder.add(out, np.full([] if shape is None else shape, number), dtype)


@translates("full_batch_size_like", "full_like", "full_with_tensor")
def _full_like(builder: Builder, operator: Operator) -> None:
    """As `full`, with an unknown shape: the zeros with which a recurrent layer begins."""
    number = operator.get("value", 0.0)
    for name in operator.inputs:
        known = builder.constants.get(name)
        if known is not None and known.size == 1 and operator.kind != "full_batch_size_like":
            number = float(known.reshape(-1)[0])
    builder.add(operator.outputs[0], number)


@translates("cast")
def _cast(builder: Builder, operator: Operator) -> None:
    whole, out = _is_whole(operator.get("dtype", "float32")), operator.outputs[0]
    if operator.input(0) in builder.whole and whole:
        builder.alias(operator.input(0), out)
        return
    builder.node("Cast", [operator.input(0)], out, to=TensorProto.INT64 if whole else TensorProto.FLOAT)
    (builder.whole.add if whole else builder.whole.discard)(out)


def _is_whole(dtype: str | int) -> bool:
    name = DTYPES.get(dtype, "float32") if isinstance(dtype, int) else dtype
    return name in ("int16", "int32", "int64", "uint8", "int8", "bool")
