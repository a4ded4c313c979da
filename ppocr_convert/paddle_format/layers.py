"""Convolutions, pooling, normalisation, activations, resizing: from Paddle to ONNX."""

from __future__ import annotations

import numpy as np

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.builder import Builder, translates
from ppocr_convert.paddle_format.program import Operator


def _nchw(operator: Operator) -> None:
    if operator.get("data_format", "NCHW") not in ("NCHW", "AnyLayout"):
        raise BundleError(
            f"the operator {operator.kind} in the layout {operator.get('data_format')} can't be translated; in NCHW it can"
        )


def _padding(operator: Operator) -> dict[str, object]:
    """Paddle's padding as ONNX's attribute: `pads` [top, left, bottom, right], or `auto_pad`."""
    named = {"SAME": "SAME_UPPER", "VALID": "VALID"}
    algorithm = operator.get("padding_algorithm", "EXPLICIT")
    if algorithm in named:
        return {"auto_pad": named[algorithm]}
    pads = [int(value) for value in operator.get("paddings", [0, 0])]
    if len(pads) == 4:
        pads = [pads[0], pads[2], pads[1], pads[3]]
    else:
        pads = [*pads, *pads]
    return {"pads": pads}


@translates("conv2d", "depthwise_conv2d")
def _conv(builder: Builder, operator: Operator) -> None:
    _nchw(operator)
    _convolve(builder, operator, "Conv")


@translates("conv2d_transpose", "depthwise_conv2d_transpose")
def _conv_transpose(builder: Builder, operator: Operator) -> None:
    _nchw(operator)
    if operator.get("output_size"):
        raise BundleError("a transposed convolution with a fixed output size can't be translated")
    padding = operator.get("output_padding") or [0, 0]
    _convolve(builder, operator, "ConvTranspose", **({"output_padding": padding} if any(padding) else {}))


def _convolve(builder: Builder, operator: Operator, kind: str, **attributes: object) -> None:
    """One ONNX node for a convolution of either direction."""
    weights = builder.constants[operator.input(1)]
    builder.node(
        kind,
        [operator.input(0), operator.input(1)],
        operator.outputs[0],
        kernel_shape=list(weights.shape[2:]),
        strides=operator.get("strides", [1, 1]),
        dilations=operator.get("dilations", [1, 1]),
        group=operator.get("groups", 1),
        **attributes,
        **_padding(operator),
    )


@translates("pool2d")
def _pool(builder: Builder, operator: Operator) -> None:
    _nchw(operator)
    average = operator.get("pooling_type", "max") == "avg"
    size = builder.ints(operator.input(1), "the size of a pool")
    if operator.get("global_pooling") or (operator.get("adaptive") and size == [1, 1]):
        builder.node("GlobalAveragePool" if average else "GlobalMaxPool", [operator.input(0)], operator.outputs[0])
        return
    if operator.get("adaptive"):
        raise BundleError(f"an adaptive pool to {size} can't be translated; to [1, 1] it can")
    builder.node(
        "AveragePool" if average else "MaxPool",
        [operator.input(0)],
        operator.outputs[0],
        kernel_shape=size,
        strides=operator.get("strides", [1, 1]),
        ceil_mode=int(operator.get("ceil_mode", False)),
        **({"count_include_pad": int(not operator.get("exclusive", True))} if average else {}),
        **_padding(operator),
    )


@translates("batch_norm")
def _batch_norm(builder: Builder, operator: Operator) -> None:
    _nchw(operator)
    x, mean, variance, scale, bias = (operator.input(place) for place in range(5))
    epsilon = operator.get("epsilon", 1e-5)
    builder.node("BatchNormalization", [x, scale, bias, mean, variance], operator.outputs[0], epsilon=epsilon)


@translates("layer_norm")
def _layer_norm(builder: Builder, operator: Operator) -> None:
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, in the form that engines know as one operator."""
    x, out = operator.input(0), operator.outputs[0]
    begin = operator.get("begin_norm_axis", 1)
    axes = list(range(begin - builder.rank(x), 0))
    if len(axes) != 1:
        raise BundleError(
            f"a layer normalisation over {len(axes)} dimensions can't be translated; over the last one it can"
        )
    builder.node("ReduceMean", [x], f"{out}.mean", axes=axes)
    builder.node("Sub", [x, f"{out}.mean"], f"{out}.centred")
    builder.node("Pow", [f"{out}.centred", builder.add(f"{out}.two", 2.0)], f"{out}.squares")
    builder.node("ReduceMean", [f"{out}.squares"], f"{out}.variance", axes=axes)
    epsilon = builder.add(f"{out}.epsilon", operator.get("epsilon", 1e-5))
    builder.node("Add", [f"{out}.variance", epsilon], f"{out}.positive")
    builder.node("Sqrt", [f"{out}.positive"], f"{out}.deviation")
    last = builder.node("Div", [f"{out}.centred", f"{out}.deviation"], f"{out}.normal")
    places = [place for place in (1, 2) if place < len(operator.inputs) and operator.inputs[place]]
    for place in places:
        name = out if place == places[-1] else f"{out}.scaled"
        last = builder.node("Mul" if place == 1 else "Add", [last, operator.inputs[place]], name)
    if not places:
        builder.alias(last, out)


@translates("relu", "sigmoid", "tanh", "exp", "sqrt", "abs", "floor", "erf", "softplus")
def _same_name(builder: Builder, operator: Operator) -> None:
    builder.node(operator.kind.capitalize(), [operator.input(0)], operator.outputs[0])


@translates("relu6")
def _relu6(builder: Builder, operator: Operator) -> None:
    out = operator.outputs[0]
    limits = [builder.add(f"{out}.low", 0.0), builder.add(f"{out}.high", 6.0)]
    builder.node("Clip", [operator.input(0), *limits], out)


@translates("leaky_relu")
def _leaky_relu(builder: Builder, operator: Operator) -> None:
    slope = operator.get("negative_slope", operator.get("alpha", 0.02))
    builder.node("LeakyRelu", [operator.input(0)], operator.outputs[0], alpha=slope)


@translates("hardsigmoid")
def _hardsigmoid(builder: Builder, operator: Operator) -> None:
    slope, offset = operator.get("slope", 0.2), operator.get("offset", 0.5)
    builder.node("HardSigmoid", [operator.input(0)], operator.outputs[0], alpha=slope, beta=offset)


@translates("hardswish")
def _hardswish(builder: Builder, operator: Operator) -> None:
    """As x · HardSigmoid(x), which ppocr_convert/fusions.py turns into HardSwish."""
    usual = (operator.get("threshold", 6.0), operator.get("scale", 6.0), operator.get("offset", 3.0))
    if usual != (6.0, 6.0, 3.0):
        raise BundleError(f"a hard swish with threshold, scale and offset {usual} can't be translated")
    x, out = operator.input(0), operator.outputs[0]
    builder.node("HardSigmoid", [x], f"{out}.gate", alpha=1 / 6, beta=0.5)
    builder.node("Mul", [x, f"{out}.gate"], out)


@translates("swish", "silu")
def _swish(builder: Builder, operator: Operator) -> None:
    x, out = operator.input(0), operator.outputs[0]
    if operator.get("beta", 1.0) != 1.0:
        raise BundleError(f"a swish with beta {operator.get('beta')} can't be translated")
    builder.node("Sigmoid", [x], f"{out}.gate")
    builder.node("Mul", [x, f"{out}.gate"], out)


@translates("gelu")
def _gelu(builder: Builder, operator: Operator) -> None:
    """x · (1 + erf(x / √2)) / 2, or its approximation by tanh."""
    x, out = operator.input(0), operator.outputs[0]
    one, half = builder.add(f"{out}.one", 1.0), builder.add(f"{out}.half", 0.5)
    if operator.get("approximate", False):
        builder.node("Mul", [x, x], f"{out}.x2")
        builder.node("Mul", [f"{out}.x2", builder.add(f"{out}.c3", 0.044715)], f"{out}.c3x2")
        builder.node("Add", [f"{out}.c3x2", one], f"{out}.inner")
        builder.node("Mul", [f"{out}.inner", x], f"{out}.cubic")
        builder.node("Mul", [f"{out}.cubic", builder.add(f"{out}.root", np.sqrt(2 / np.pi))], f"{out}.scaled")
        builder.node("Tanh", [f"{out}.scaled"], f"{out}.bent")
    else:
        builder.node("Div", [x, builder.add(f"{out}.root", np.sqrt(2))], f"{out}.scaled")
        builder.node("Erf", [f"{out}.scaled"], f"{out}.bent")
    builder.node("Add", [f"{out}.bent", one], f"{out}.gate")
    builder.node("Mul", [x, f"{out}.gate"], f"{out}.double")
    builder.node("Mul", [f"{out}.double", half], out)


@translates("nearest_interp", "bilinear_interp")
def _resize(builder: Builder, operator: Operator) -> None:
    x, out = operator.input(0), operator.outputs[0]
    nearest = operator.kind == "nearest_interp"
    if operator.get("align_corners", False):
        place = "align_corners"
    else:
        place = "asymmetric" if nearest or operator.get("align_mode", 1) == 1 else "half_pixel"
    how = {"mode": "nearest", "nearest_mode": "floor"} if nearest else {"mode": "linear"}
    empty = builder.add(f"{out}.none", [], np.float32)
    size = next((name for name in operator.inputs[1:3] if name), "")
    scale = operator.get("scale") or []
    scale = scale if isinstance(scale, list) else [scale]
    if size or (operator.get("out_h", -1) > 0 and operator.get("out_w", -1) > 0):
        if not size:
            size = builder.add(f"{out}.size", [operator.get("out_h"), operator.get("out_w")], np.int64)
        builder.node("Shape", [x], f"{out}.shape")
        limits = [builder.add(f"{out}.{name}", [value], np.int64) for name, value in (("from", 0), ("to", 2))]
        builder.node("Slice", [f"{out}.shape", *limits], f"{out}.front")
        builder.node("Concat", [f"{out}.front", builder.vector(size, f"{out}.wanted")], f"{out}.sizes", axis=0)
        inputs = [x, empty, empty, f"{out}.sizes"]
    elif any(scale):
        factors = [1.0, 1.0, scale[0], scale[-1]]
        inputs = [x, empty, builder.add(f"{out}.factors", factors)]
    else:
        raise BundleError(f"neither the size nor the factor of the operator {operator.kind} is known in advance")
    builder.node("Resize", inputs, out, coordinate_transformation_mode=place, **how)


@translates("pad3d", "pad")
def _pad(builder: Builder, operator: Operator) -> None:
    """pad3d: [left, right, top, bottom, front, back] of NCDHW; pad: [before, after] of each dimension."""
    x, out = operator.input(0), operator.outputs[0]
    given = operator.inputs[1] if len(operator.inputs) > 1 else ""
    pads = builder.ints(given, "a padding") if given else [int(value) for value in operator.get("paddings", [])]
    if operator.kind == "pad3d":
        if operator.get("data_format", "NCDHW") != "NCDHW":
            raise BundleError("a padding in a layout other than NCDHW can't be translated")
        left, right, top, bottom, front, back = pads
        pads = [0, 0, front, top, left, 0, 0, back, bottom, right]
    else:
        pads = [*pads[0::2], *pads[1::2]]
    mode = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}.get(operator.get("mode", "constant"))
    if mode is None:
        raise BundleError(f"a padding with the mode {operator.get('mode')} can't be translated")
    value = operator.get("pad_value", operator.get("value", 0.0))
    value = value if isinstance(value, float | int) else 0.0
    amounts = builder.add(f"{out}.pads", pads, np.int64)
    builder.node("Pad", [x, amounts, builder.add(f"{out}.value", value)], out, mode=mode)
