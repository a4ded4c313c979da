"""Small networks of PP-OCR's kinds, with random weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

RNG = np.random.default_rng(7)
CHARACTERS = tuple("0123456789abcdefghijklmnopqrstuvwxyz")


def model(nodes: list[NodeProto], weights: dict[str, ArrayLike], rank: int) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * rank)],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def det_network(batch_norm: bool = False) -> ModelProto:
    """A strided convolution and a DB head: two transposed convolutions of kernel 2, ReLU between, sigmoid."""
    weights: dict[str, ArrayLike] = {
        "w0": RNG.normal(size=(8, 3, 3, 3)) / 4,
        "w1": RNG.normal(size=(8, 6, 2, 2)) / 3,
        "b1": RNG.normal(size=(1, 6, 1, 1)),
        "w2": RNG.normal(size=(6, 1, 2, 2)),
        "b2": RNG.normal(size=(1, 1, 1, 1)),
        **{name: RNG.uniform(0.5, 2, size=6) for name in ("gain", "shift", "mean", "variance")},
    }
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["c"], strides=[4, 4], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("ConvTranspose", ["c", "w1"], ["t1"], strides=[2, 2], kernel_shape=[2, 2]),
        helper.make_node("Add", ["t1", "b1"], ["a1"]),
        helper.make_node("BatchNormalization", ["a1", "gain", "shift", "mean", "variance"], ["n1"]),
        helper.make_node("Relu", ["n1" if batch_norm else "a1"], ["r1"]),
        helper.make_node("ConvTranspose", ["r1", "w2"], ["t2"], strides=[2, 2], kernel_shape=[2, 2]),
        helper.make_node("Add", ["t2", "b2"], ["a2"]),
        helper.make_node("Identity", ["a2"], ["i2"]),
        helper.make_node("Sigmoid", ["i2"], ["y"]),
    ]
    if not batch_norm:
        del nodes[3]
    return model(nodes, weights, 4)


def rec_network(classes: int) -> ModelProto:
    """A convolution, the mean over the height, and a CTC head."""
    weights: dict[str, ArrayLike] = {
        "w0": RNG.normal(size=(16, 3, 3, 3)),
        "w1": RNG.normal(size=(16, classes)),
        "b1": RNG.normal(size=classes),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["c"], strides=[8, 8], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("ReduceMean", ["c"], ["m"], axes=[2], keepdims=0),
        helper.make_node("Transpose", ["m"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["t", "w1"], ["p"]),
        helper.make_node("Add", ["p", "b1"], ["l"]),
        helper.make_node("Softmax", ["l"], ["y"], axis=2),
    ]
    return model(nodes, weights, 3)


def orientation_network(classes: int) -> ModelProto:
    """A convolution, the mean over the picture, a softmax."""
    weights: dict[str, ArrayLike] = {"w0": RNG.normal(size=(4, 3, 3, 3)), "w1": RNG.normal(size=(4, classes))}
    nodes: list[NodeProto] = [
        helper.make_node("Conv", ["x", "w0"], ["c"], strides=[4, 4], kernel_shape=[3, 3]),
        helper.make_node("ReduceMean", ["c"], ["m"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["m", "w1"], ["l"]),
        helper.make_node("Softmax", ["l"], ["y"], axis=1),
    ]
    return model(nodes, weights, 2)
