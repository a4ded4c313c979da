"""Names of a ProgramDesc's operators, inputs and attributes in PIR."""

from __future__ import annotations

from dataclasses import dataclass

ELEMENTWISE = frozenset(f"elementwise_{name}" for name in ("add", "sub", "mul", "div", "max", "min", "pow"))

RENAMED = {
    "elementwise_add": "add",
    "elementwise_sub": "subtract",
    "elementwise_mul": "multiply",
    "elementwise_div": "divide",
    "elementwise_max": "maximum",
    "elementwise_min": "minimum",
    "hard_swish": "hardswish",
    "hard_sigmoid": "hardsigmoid",
    "matmul_v2": "matmul",
    "nearest_interp_v2": "nearest_interp",
    "bilinear_interp_v2": "bilinear_interp",
    "reshape2": "reshape",
    "transpose2": "transpose",
    "squeeze2": "squeeze",
    "unsqueeze2": "unsqueeze",
    "flatten_contiguous_range": "flatten",
    "fill_constant": "full",
    "fill_constant_batch_size_like": "full_batch_size_like",
    "reduce_mean": "mean",
    "reduce_sum": "sum",
    "reduce_max": "max",
    "expand_v2": "expand",
    "sync_batch_norm": "batch_norm",
}

#: Inputs in PIR's order, of operators that have others than X.
_BINARY = ("X", "Y")
INPUTS = {
    **dict.fromkeys(ELEMENTWISE, _BINARY),
    "matmul_v2": _BINARY,
    "matmul": _BINARY,
    "mul": _BINARY,
    "bmm": _BINARY,
    "conv2d": ("Input", "Filter"),
    "depthwise_conv2d": ("Input", "Filter"),
    "conv2d_transpose": ("Input", "Filter"),
    "depthwise_conv2d_transpose": ("Input", "Filter"),
    "batch_norm": ("X", "Mean", "Variance", "Scale", "Bias"),
    "sync_batch_norm": ("X", "Mean", "Variance", "Scale", "Bias"),
    "layer_norm": ("X", "Scale", "Bias"),
    "pool2d": ("X", "ksize"),
    "nearest_interp_v2": ("X", "OutSize", "SizeTensor", "Scale"),
    "bilinear_interp_v2": ("X", "OutSize", "SizeTensor", "Scale"),
    "nearest_interp": ("X", "OutSize", "SizeTensor", "Scale"),
    "bilinear_interp": ("X", "OutSize", "SizeTensor", "Scale"),
    "reshape2": ("X", "shape"),
    "squeeze2": ("X", "axes"),
    "unsqueeze2": ("X", "axes"),
    "slice": ("Input", "starts", "ends"),
    "strided_slice": ("Input", "starts", "ends", "strides"),
    "shape": ("Input",),
    "concat": ("X", "axis"),
    "split": ("X", "sections", "axis"),
    "scale": ("X", "scale"),
    "clip": ("X", "min", "max"),
    "expand_v2": ("X", "shape"),
    "fill_constant": ("shape",),
    "fill_constant_batch_size_like": ("Input",),
    "rnn": ("Input", "PreState", "WeightList"),
}
#: Outputs in PIR's order, of operators that have others than Out.
OUTPUTS = {
    "conv2d": ("Output",),
    "depthwise_conv2d": ("Output",),
    "conv2d_transpose": ("Output",),
    "depthwise_conv2d_transpose": ("Output",),
    "batch_norm": ("Y",),
    "sync_batch_norm": ("Y",),
    "layer_norm": ("Y",),
    "stack": ("Y",),
    "rnn": ("Out", "DropoutState", "State"),
}


@dataclass(frozen=True)
class Constant:
    """An input of PIR that is an attribute here, unless one of `tensors` is given."""

    attribute: str
    tensors: tuple[str, ...] = ()


CONSTANTS = {
    ("pool2d", "ksize"): Constant("ksize"),
    ("reshape2", "shape"): Constant("shape", ("Shape", "ShapeTensor")),
    ("expand_v2", "shape"): Constant("shape", ("Shape", "expand_shapes_tensor")),
    ("fill_constant", "shape"): Constant("shape", ("ShapeTensor", "ShapeTensorList")),
    ("squeeze2", "axes"): Constant("axes"),
    ("unsqueeze2", "axes"): Constant("axes", ("AxesTensor", "AxesTensorList")),
    ("slice", "starts"): Constant("starts", ("StartsTensor", "StartsTensorList")),
    ("slice", "ends"): Constant("ends", ("EndsTensor", "EndsTensorList")),
    ("strided_slice", "starts"): Constant("starts", ("StartsTensor", "StartsTensorList")),
    ("strided_slice", "ends"): Constant("ends", ("EndsTensor", "EndsTensorList")),
    ("strided_slice", "strides"): Constant("strides", ("StridesTensor", "StridesTensorList")),
    ("concat", "axis"): Constant("axis", ("AxisTensor",)),
    ("split", "sections"): Constant("sections", ("SectionsTensorList",)),
    ("split", "axis"): Constant("axis", ("AxisTensor",)),
    ("scale", "scale"): Constant("scale", ("ScaleTensor",)),
    ("clip", "min"): Constant("min", ("Min",)),
    ("clip", "max"): Constant("max", ("Max",)),
}

RENAMED_ATTRIBUTES = {
    "batch_norm": {"data_layout": "data_format"},
    "matmul_v2": {"trans_x": "transpose_x", "trans_y": "transpose_y"},
    "matmul": {"transpose_X": "transpose_x", "transpose_Y": "transpose_y"},
    "transpose2": {"axis": "perm"},
    "reduce_mean": {"dim": "axis", "keep_dim": "keepdim"},
    "reduce_sum": {"dim": "axis", "keep_dim": "keepdim"},
    "reduce_max": {"dim": "axis", "keep_dim": "keepdim"},
    "cast": {"out_dtype": "dtype"},
}
