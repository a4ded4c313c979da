"""The output of a detection network: the probability map as UINT8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto

from ppocr_api.errors import BundleError
from ppocr_convert.graph import Graph


def probability_map(graph: Graph, output: str) -> None:
    """Sigmoid → `output` UINT8 [N,H,W], 255 times the probability. Also the mean of two sigmoids, in which server models end.

    A head of two transposed convolutions becomes two 1x1 convolutions at a quarter of the size. A transposed convolution of
    kernel 2 and stride 2 computes each 2x2 block from a single input pixel. So the 4x4 block of the map that belongs to one
    pixel is a function of that pixel: its 16 values are computed as 16 channels, and moved to their places last. The sums are
    the same, in layouts that are fast on CPUs and GPUs, which are slowest with one channel at full size.

    Raises BundleError if the network ends in something else.
    """
    last, blocks = graph.output, None
    sigmoid = graph.producer(last)
    if sigmoid is None or not _is_mean(graph, last):
        raise BundleError("the detection network doesn't end in a sigmoid")
    if sigmoid.op_type == "Sigmoid":
        graph.remove(sigmoid)
        blocks = _blocks(graph, sigmoid.input[0])
        last = graph.node("Sigmoid", [blocks or sigmoid.input[0]], "map.sigmoid")
    graph.node("Mul", [last, graph.add_constant("map.255", np.array(255, np.float32))], "map.scaled")
    graph.node("Add", ["map.scaled", graph.add_constant("map.half", np.array(0.5, np.float32))], "map.rounded")
    last = "map.rounded"
    if blocks:
        # Before the cast, because on a GPU ONNX Runtime does this only for floats, and would move bytes to the CPU for it.
        last = graph.node("DepthToSpace", [last], "map.placed", blocksize=4, mode="DCR")
    graph.over_axes("Squeeze", last, "map.squeezed", [1])
    graph.node("Cast", ["map.squeezed"], output, to=TensorProto.UINT8)


def _is_mean(graph: Graph, tensor: str) -> bool:
    """Whether `tensor` is a sigmoid, or half the sum of two sigmoids."""
    node = graph.producer(tensor)
    if node is not None and node.op_type == "Mul":
        factors = [graph.constant(name) for name in node.input]
        known = next((value for value in factors if value is not None and value.size == 1), None)
        sums = [graph.producer(name) for name, value in zip(node.input, factors, strict=True) if value is None]
        if known is None or len(sums) != 1 or sums[0] is None or sums[0].op_type != "Add":
            return False
        parts = [graph.producer(name) for name in sums[0].input]
        return float(known.reshape(-1)[0]) == 0.5 and all(
            part is not None and part.op_type == "Sigmoid" for part in parts
        )
    return node is not None and node.op_type == "Sigmoid"


def _blocks(graph: Graph, logits: str) -> str | None:
    """FLOAT [N,16,H/4,W/4], channel 4 r + c holding row r and column c of each 4x4 block; None for another kind of head."""
    second = _up2(graph, logits)
    relu = graph.producer(second.source) if second else None
    first = _up2(graph, relu.input[0]) if relu is not None and relu.op_type == "Relu" else None
    if second is None or relu is None or first is None or second.weights.shape[1] != 1:
        return None
    middle = first.weights.shape[1]
    # [in, middle, i, j] → [(i, j, middle), in]
    wide = first.weights.transpose(2, 3, 1, 0).reshape(4 * middle, -1, 1, 1)
    # From channel (i, j, middle) to row 2 i + k and column 2 j + l.
    narrow = np.zeros((2, 2, 2, 2, 2, 2, middle))
    for i in range(2):
        for j in range(2):
            narrow[i, :, j, :, i, j] = second.weights[:, 0].transpose(1, 2, 0)
    graph.remove(*first.nodes, relu, *second.nodes)
    return _conv1x1(
        graph,
        graph.node("Relu", [_conv1x1(graph, first.source, wide, np.tile(first.bias, 4), "map.wide")], "map.relu"),
        narrow.reshape(16, 4 * middle, 1, 1),
        np.repeat(second.bias, 16),
        "map.blocks",
    )


def _conv1x1(graph: Graph, source: str, weights: NDArray[np.float64], bias: NDArray[np.float64], name: str) -> str:
    graph.add_constant(f"{name}.weights", weights.astype(np.float32))
    graph.add_constant(f"{name}.bias", bias.astype(np.float32))
    return graph.node("Conv", [source, f"{name}.weights", f"{name}.bias"], name, kernel_shape=[1, 1])


@dataclass(frozen=True)
class _Up2:
    """A transposed convolution of kernel 2 and stride 2, with the bias or batch normalisation behind it folded in."""

    source: str
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    nodes: tuple[NodeProto, ...]


def _up2(graph: Graph, tensor: str) -> _Up2 | None:
    """The transposed convolution that writes `tensor`, if it is of that kind and nothing else reads the tensors in between."""
    node, scale, shift, nodes = graph.producer(tensor), np.ones(1), np.zeros(1), list[NodeProto]()
    while node is not None and node.op_type in ("Add", "BatchNormalization"):
        constants = [graph.constant(name) for name in node.input[1:]]
        if any(value is None for value in constants):
            return None
        values = [np.asarray(value, np.float64).reshape(-1) for value in constants]
        if node.op_type == "Add":
            shift = shift + scale * values[0]
        else:
            gain = values[0] / np.sqrt(values[3] + graph.attributes(node).get("epsilon", 1e-5))
            scale, shift = scale * gain, shift + scale * (values[1] - gain * values[2])
        nodes.append(node)
        node = graph.producer(node.input[0])
    if node is None or node.op_type != "ConvTranspose" or len(graph.consumers(tensor)) > 1:
        return None
    attributes = graph.attributes(node)
    weights = graph.constant(node.input[1])
    plain = (
        list(attributes.get("strides", [])) == [2, 2]
        and not any(attributes.get("pads", []))
        and not any(attributes.get("output_padding", []))
        and attributes.get("group", 1) == 1
    )
    if weights is None or weights.shape[2:] != (2, 2) or not plain:
        return None
    if len(node.input) > 2:
        own = graph.constant(node.input[2])
        if own is None:
            return None
        shift = shift + scale * own
    channels = weights.shape[1]
    weights = weights.astype(np.float64) * np.broadcast_to(scale, channels)[None, :, None, None]
    return _Up2(node.input[0], weights, np.broadcast_to(shift, channels), (node, *nodes))
