"""Output sizes of a rebuilt network for an input size, computed without running it."""

from __future__ import annotations

from onnx import ModelProto, shape_inference, version_converter

from ppocr_api.errors import BundleError

#: The width of a usual line [pixels].
WIDTH = 320
#: The first opset in which ONNX's shape inference follows the values of shapes through slices.
_OPSET = 14


def output_shape(model: ModelProto, shape: tuple[int, ...]) -> list[int | None]:
    """The shape of the first output for an input of `shape`, with None for unknown sizes.

    Raises BundleError if the network can't take such an input.
    """
    fixed = ModelProto()
    fixed.CopyFrom(model)
    if max(item.version for item in fixed.opset_import if item.domain == "") < _OPSET:
        fixed = version_converter.convert_version(fixed, _OPSET)
    for dimension, size in zip(fixed.graph.input[0].type.tensor_type.shape.dim, shape, strict=True):
        dimension.dim_value = size
    del fixed.graph.value_info[:]  # an exporter's notes, which may contradict the fixed sizes
    fixed.graph.output[0].type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True)
    except shape_inference.InferenceError as error:
        raise BundleError(f"the network can't take an input of {list(shape)}: {str(error).splitlines()[0]}") from error
    sizes = inferred.graph.output[0].type.tensor_type.shape.dim
    return [size.dim_value or None for size in sizes]


def check_det(model: ModelProto, stride: int) -> None:
    """Raises BundleError if the probability map doesn't have the size of the image."""
    height, width = 6 * stride, 10 * stride
    found = output_shape(model, (1, height, width, 3))
    if found[-2:] != [height, width] and None not in found[-2:]:
        raise BundleError(
            f"the detection network makes a map of {found[-1]}x{found[-2]} out of an image of {width}x{height}; "
            "in a bundle, the map must have the image's size"
        )


def rec_stride(model: ModelProto, height: int) -> int:
    """Pixels of width per time step. Raises BundleError if the network can't take lines of this height."""
    steps = output_shape(model, (2, height, WIDTH, 3))[-1]
    if steps is None:
        raise BundleError(
            "the number of time steps of the recognition network can't be derived from the width of a line"
        )
    return round(WIDTH / steps)
