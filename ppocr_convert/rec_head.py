"""The output of a recognition network: the best class of each time step, and its probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto

from ppocr_api.errors import BundleError
from ppocr_convert.graph import Graph

#: Classes in a group of the two-level search; a power of two that fills vector registers.
GROUP = 128


@dataclass(frozen=True)
class _End:
    """MatMul + Add + Softmax: `weights` [features, classes], `bias` [classes]."""

    product: NodeProto
    addition: NodeProto
    softmax: NodeProto
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def class_count(graph: Graph) -> int:
    """The number of the network's classes, with the blank. Raises BundleError if it isn't a recognition network."""
    return int(_end(graph).weights.shape[1])


def _end(graph: Graph) -> _End:
    softmax = graph.producer(graph.output)
    if softmax is None or softmax.op_type != "Softmax":
        raise BundleError("the recognition network doesn't end in a softmax")
    addition = graph.producer(softmax.input[0])
    if addition is not None and addition.op_type == "Add":
        for product_place, bias_place in ((0, 1), (1, 0)):
            product = graph.producer(addition.input[product_place])
            bias = graph.constant(addition.input[bias_place])
            if product is None or product.op_type != "MatMul" or bias is None or bias.ndim != 1:
                continue
            weights = graph.constant(product.input[1])
            if weights is not None and weights.ndim == 2:
                return _End(product, addition, softmax, weights, bias)
    raise BundleError("the recognition network doesn't end in a matrix product, a bias and a softmax")


def best_class(graph: Graph, expected: int, ids: str, probabilities: str) -> None:
    """MatMul + Add + Softmax → `ids` INT32 [N,T] and `probabilities` FLOAT [N,T] = 1 / sum(exp(x - max)).

    Engines find the best of 18,710 classes by sorting them, which takes a quarter of the network's time. So the classes are
    searched in groups: the maximum of each group, the best group, the best class in that group. The last group is filled up
    with classes whose bias is so low that they never win. `expected` is the number of characters with the blank.
    predictor/engines/openvino_tail.py rewrites this for OpenVINO, and finds the nodes by their names.

    Raises BundleError if the network ends in something else, or has another number of classes.
    """
    end = _end(graph)
    weights, bias, classes = end.weights, end.bias, end.weights.shape[1]
    if classes != expected:
        raise BundleError(f"the recognition network has {classes} classes and its character set {expected}")
    groups = -(-classes // GROUP)
    filling = (0, groups * GROUP - classes)
    features = end.product.input[0]
    graph.remove(end.product, end.addition, end.softmax)

    graph.add_constant("best.weights", np.pad(weights, ((0, 0), filling)))
    graph.add_constant("best.bias", np.pad(bias, filling, constant_values=-1e4))
    graph.node("MatMul", [features, "best.weights"], "best.product")
    graph.node("Add", ["best.product", "best.bias"], "best.logits")

    graph.add_constant("best.grouping", np.array([0, 0, groups, GROUP], np.int64))
    graph.node("Reshape", ["best.logits", "best.grouping"], "best.groups")
    graph.over_axes("ReduceMax", "best.groups", "best.of_group", [3], keepdims=0)
    graph.over_axes("ReduceMax", "best.of_group", "best.logit", [2], keepdims=1)
    graph.node("ArgMax", ["best.of_group"], "best.group", axis=2, keepdims=1)
    graph.over_axes("Unsqueeze", "best.group", "best.group4", [3])
    graph.add_constant("best.spread", np.zeros((1, 1, 1, GROUP), np.int64))
    graph.node("Add", ["best.group4", "best.spread"], "best.places")
    graph.node("GatherElements", ["best.groups", "best.places"], "best.members", axis=2)
    graph.node("ArgMax", ["best.members"], "best.member", axis=3, keepdims=0)
    graph.add_constant("best.group_size", np.array(GROUP, np.int64))
    graph.node("Mul", ["best.group", "best.group_size"], "best.group_start")
    graph.node("Add", ["best.group_start", "best.member"], "best.id")
    graph.over_axes("Squeeze", "best.id", "best.id2", [2])
    graph.node("Cast", ["best.id2"], ids, to=TensorProto.INT32)

    graph.node("Sub", ["best.logits", "best.logit"], "best.below")
    graph.node("Exp", ["best.below"], "best.exp")
    graph.over_axes("ReduceSum", "best.exp", "best.sum", [2], keepdims=0)
    graph.node("Reciprocal", ["best.sum"], probabilities)
