"""Reshaping, slicing, joining: from Paddle to ONNX."""

from __future__ import annotations

import numpy as np

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.builder import Builder, translates
from ppocr_convert.paddle_format.program import Operator


@translates("assign", "dropout", "share_data")
def _nothing(builder: Builder, operator: Operator) -> None:
    if operator.kind == "dropout":
        mode = operator.get("mode", operator.get("dropout_implementation", "downgrade_in_infer"))
        if mode == "downgrade_in_infer" and operator.get("dropout_prob", operator.get("p", 0.0)):
            raise BundleError("a dropout that scales during inference can't be translated")
    builder.alias(operator.input(0), operator.outputs[0])


@translates("reshape")
def _reshape(builder: Builder, operator: Operator) -> None:
    x, out = operator.input(0), operator.outputs[0]
    shape = builder.known_ints(operator.input(1))
    known = builder.constants.get(x)
    if known is not None and shape is not None:
        whole = [known.shape[place] if size == 0 else size for place, size in enumerate(shape)]
        builder.add(out, known.reshape(whole), known.dtype)
        return
    builder.node("Reshape", [x, builder.vector(operator.input(1), f"{out}.shape")], out)


@translates("transpose")
def _transpose(builder: Builder, operator: Operator) -> None:
    builder.node("Transpose", [operator.input(0)], operator.outputs[0], perm=operator.get("perm"))


@translates("flatten")
def _flatten(builder: Builder, operator: Operator) -> None:
    x, out = operator.input(0), operator.outputs[0]
    rank = builder.rank(x)
    start, stop = operator.get("start_axis", 1) % rank, operator.get("stop_axis", -1) % rank
    if stop == rank - 1:
        shape = builder.add(f"{out}.shape", [0] * start + [-1], np.int64)
    else:
        builder.node("Shape", [x], f"{out}.sizes")
        parts = []
        if start:
            parts.append(_part(builder, f"{out}.sizes", 0, start, f"{out}.front"))
        parts.append(builder.add(f"{out}.joined", [-1], np.int64))
        parts.append(_part(builder, f"{out}.sizes", stop + 1, rank, f"{out}.behind"))
        shape = builder.node("Concat", parts, f"{out}.shape", axis=0)
    builder.node("Reshape", [x, shape], out)


def _part(builder: Builder, sizes: str, start: int, stop: int, output: str) -> str:
    limits = [builder.add(f"{output}.{name}", [value], np.int64) for name, value in (("from", start), ("to", stop))]
    return builder.node("Slice", [sizes, *limits], output)


@translates("squeeze", "unsqueeze")
def _squeeze(builder: Builder, operator: Operator) -> None:
    x, out = operator.input(0), operator.outputs[0]
    axes = builder.ints(operator.input(1), f"the dimension of {operator.kind}")
    known = builder.constants.get(x)
    if known is not None:
        change = np.squeeze if operator.kind == "squeeze" else np.expand_dims
        builder.add(out, change(known, tuple(axes)), known.dtype)
        return
    if x in builder.whole:
        builder.alias(x, out)
        return
    if operator.kind == "unsqueeze" and len(axes) > 1 and any(axis < 0 for axis in axes):
        raise BundleError("an unsqueeze of several dimensions counted from the end can't be translated")
    builder.node(operator.kind.capitalize(), [x], out, axes=axes)


@translates("shape", "shape64")
def _shape(builder: Builder, operator: Operator) -> None:
    builder.node("Shape", [operator.input(0)], operator.outputs[0])


@translates("slice", "strided_slice")
def _slice(builder: Builder, operator: Operator) -> None:
    x, out = operator.input(0), operator.outputs[0]
    axes = operator.get("axes")
    starts, ends = (builder.vector(operator.input(place), f"{out}.{name}") for place, name in ((1, "from"), (2, "to")))
    inputs = [x, starts, ends, builder.add(f"{out}.axes", axes, np.int64)]
    if operator.kind == "strided_slice":
        inputs.append(builder.vector(operator.input(3), f"{out}.strides"))
    dropped = [] if x in builder.whole else operator.get("decrease_axis") or []
    last = builder.node("Slice", inputs, f"{out}.kept" if dropped else out)
    if dropped:
        builder.node("Squeeze", [last], out, axes=dropped)


@translates("concat")
def _concat(builder: Builder, operator: Operator) -> None:
    axis = builder.ints(operator.input(1), "the dimension of a concatenation")[0]
    parts = list(builder.lists[operator.input(0)])
    builder.node("Concat", parts, operator.outputs[0], axis=axis)


@translates("stack")
def _stack(builder: Builder, operator: Operator) -> None:
    axis, out = operator.get("axis", 0), operator.outputs[0]
    if any(part in builder.whole for part in builder.lists[operator.input(0)]):
        last = builder.vector(operator.input(0), out)
        if last != out:
            builder.alias(last, out)
        return
    parts = [
        builder.node("Unsqueeze", [part], f"{out}.{place}", axes=[axis])
        for place, part in enumerate(builder.lists[operator.input(0)])
    ]
    builder.node("Concat", parts, out, axis=axis)


@translates("split", "split_with_num")
def _split(builder: Builder, operator: Operator) -> None:
    outputs = list(builder.lists[operator.outputs[0]])
    by_number = operator.kind == "split_with_num" or bool(operator.get("num", 0))
    axis = builder.ints(operator.inputs[-1], "the dimension of a split")[0]
    x = operator.input(0)
    node = builder.node("Split", [x], outputs[0], axis=axis)
    made = builder.nodes[-1]
    made.output.extend(outputs[1:])
    if not by_number:
        sections = builder.ints(operator.input(1), "the sections of a split")
        if -1 in sections:
            raise BundleError("a split into a part of unknown size can't be translated")
        builder.nodes.pop()
        builder.node("Split", [x], node, axis=axis, split=sections)
        builder.nodes[-1].output.extend(outputs[1:])
    if x in builder.whole:
        builder.whole.update(outputs)


@translates("unpack")
def _unpack(builder: Builder, operator: Operator) -> None:
    for source, output in zip(builder.lists[operator.input(0)], operator.outputs, strict=True):
        builder.alias(source, output)


@translates("item")
def _item(builder: Builder, operator: Operator) -> None:
    builder.alias(builder.lists[operator.input(0)][operator.get("index", 0)], operator.outputs[0])


@translates("expand")
def _expand(builder: Builder, operator: Operator) -> None:
    """Paddle's -1 keeps a size; so does ONNX's 1."""
    x, out = operator.input(0), operator.outputs[0]
    known = builder.known_ints(operator.input(1))
    if known is not None:
        shape = builder.add(f"{out}.shape", [1 if size == -1 else size for size in known], np.int64)
    else:
        shape = builder.vector(operator.input(1), f"{out}.shape")
    builder.node("Expand", [x, shape], out)
