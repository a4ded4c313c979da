"""Rebuilds the ends of a PP-OCR network, so that pixels go in as uint8 and small tensors come out.

In front: UINT8 NHWC RGB becomes the float NCHW tensor that the first convolution wants. (x / 255 - mean) / std is
a * (x - b) with a = 1 / (255 std), b = 255 mean; `a` and the order of the channels move into the convolution's weights,
so that one subtraction is left. `b` can't move into its bias: the convolution pads with zeros after the normalisation.

Behind det: the probability map as UINT8 (det_head.py). Behind rec: the best class of each time step and its softmax
probability, instead of the softmax over all classes (rec_head.py). In between: split operators are put together
(fusions.py).
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto

from ppocr.contract import Normalisation
from ppocr_api.errors import BundleError
from ppocr_convert import fusions
from ppocr_convert.det_head import probability_map
from ppocr_convert.graph import Graph
from ppocr_convert.rec_head import best_class, class_count

DET_INPUT, DET_OUTPUT = "image", "probability"
REC_INPUT, REC_IDS, REC_PROBABILITIES = "lines", "ids", "probabilities"
CLS_INPUT, CLS_OUTPUT = "lines", "orientation"


def det(model: ModelProto, normalisation: Normalisation) -> ModelProto:
    """FLOAT [N,3,H,W] → FLOAT [N,1,H,W] becomes UINT8 [N,H,W,3] RGB → UINT8 [N,H,W], 255 times the probability."""
    graph = Graph(model)
    graph.drop_identities()
    graph.fold_constants()
    _pixels(graph, DET_INPUT, normalisation)
    probability_map(graph, DET_OUTPUT)
    rebuilt = graph.finish(
        {DET_INPUT: (TensorProto.UINT8, ["N", "H", "W", 3])}, {DET_OUTPUT: (TensorProto.UINT8, ["N", "H", "W"])}, "det"
    )
    return fusions.hardswish(rebuilt)


def rec(model: ModelProto, normalisation: Normalisation, height: int, classes: int) -> ModelProto:
    """FLOAT [N,3,height,W] → FLOAT [N,T,C] becomes UINT8 [N,height,W,3] RGB → ids INT32 [N,T], probabilities FLOAT [N,T]."""
    graph = Graph(model)
    graph.drop_identities()
    graph.fold_constants()
    _pixels(graph, REC_INPUT, normalisation)
    best_class(graph, classes, REC_IDS, REC_PROBABILITIES)
    rebuilt = graph.finish(
        {REC_INPUT: (TensorProto.UINT8, ["N", height, "W", 3])},
        {REC_IDS: (TensorProto.INT32, ["N", "T"]), REC_PROBABILITIES: (TensorProto.FLOAT, ["N", "T"])},
        "rec",
    )
    return fusions.hardswish(rebuilt)


def classes(model: ModelProto) -> int:
    """How many classes a recognition network tells apart, with the blank. Raises BundleError where it is no such network."""
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = Graph(copy)
    graph.drop_identities()
    return class_count(graph)


def cls(model: ModelProto, normalisation: Normalisation, height: int, width: int) -> ModelProto:
    """FLOAT [N,3,height,width] → FLOAT [N,2] becomes UINT8 [N,height,width,3] RGB → FLOAT [N,2]: upright, upside down."""
    graph = Graph(model)
    graph.drop_identities()
    graph.fold_constants()
    softmax = graph.producer(graph.output)
    if softmax is None or softmax.op_type != "Softmax":
        raise BundleError("the orientation network doesn't end in a softmax")
    _pixels(graph, CLS_INPUT, normalisation)
    softmax.output[0] = CLS_OUTPUT
    rebuilt = graph.finish(
        {CLS_INPUT: (TensorProto.UINT8, ["N", height, width, 3])}, {CLS_OUTPUT: (TensorProto.FLOAT, ["N", 2])}, "cls"
    )
    return fusions.hardswish(rebuilt)


def _pixels(graph: Graph, name: str, normalisation: Normalisation) -> None:
    source = graph.input
    readers = graph.consumers(source)
    convolutions = [node for node in readers if node.op_type == "Conv"]
    if not convolutions or any(graph.attributes(node).get("group", 1) != 1 for node in convolutions):
        raise BundleError("the network's input isn't read by an ordinary convolution")
    # Other readers (of the shape) don't mind the values.
    scale = 1 / (255 * np.array(normalisation.std, np.float64))
    offset = 255 * np.array(normalisation.mean, np.float64)
    if normalisation.channels == "BGR":
        offset = offset[::-1]
    for node in convolutions:
        weights = graph.constant(node.input[1])
        if weights is None:
            raise BundleError("the first convolution's weights aren't constants")
        scaled = weights.astype(np.float64) * scale[None, :, None, None]
        if normalisation.channels == "BGR":
            scaled = scaled[:, ::-1]
        node.input[1] = graph.add_constant(f"{node.input[1]}.uint8", scaled.astype(np.float32))
    if np.ptp(offset) == 0:
        offset = offset[:1]
    graph.add_constant(f"{name}.offset", offset.astype(np.float32).reshape(1, -1, 1, 1))
    centred = graph.first("Sub", [f"{name}.float", f"{name}.offset"], f"{name}.centred")
    graph.first("Cast", [f"{name}.planes"], f"{name}.float", to=TensorProto.FLOAT)
    graph.first("Transpose", [name], f"{name}.planes", perm=[0, 3, 1, 2])
    graph.redirect(source, centred)
