"""Rebuilds the input and the output of a PP-OCR network, so that it takes uint8 pixels and returns small tensors.

The graph normalises the pixels itself (pixel_input.py). Detection returns the probability map as UINT8 (det_head.py).
Recognition returns the best class of each time step and its softmax probability, instead of the softmax over all classes
(rec_head.py). In between, split operators are fused (fusions.py). Orientation networks: orientation_head.py.
"""

from __future__ import annotations

from onnx import ModelProto, TensorProto

from ppocr.contract import Normalisation
from ppocr_convert import fusions
from ppocr_convert.det_head import probability_map
from ppocr_convert.graph import Graph
from ppocr_convert.pixel_input import uint8_pixels
from ppocr_convert.rec_head import best_class, class_count

DET_INPUT, DET_OUTPUT = "image", "probability"
REC_INPUT, REC_IDS, REC_PROBABILITIES = "lines", "ids", "probabilities"


def det(model: ModelProto, normalisation: Normalisation) -> ModelProto:
    """FLOAT [N,3,H,W] → FLOAT [N,1,H,W] becomes UINT8 [N,H,W,3] RGB → UINT8 [N,H,W], 255 times the probability."""
    graph = Graph(model)
    graph.drop_identities()
    graph.fold_constants()
    uint8_pixels(graph, DET_INPUT, normalisation)
    probability_map(graph, DET_OUTPUT)
    rebuilt = graph.finish(
        {DET_INPUT: (TensorProto.UINT8, ["N", "H", "W", 3])}, {DET_OUTPUT: (TensorProto.UINT8, ["N", "H", "W"])}, "det"
    )
    return fusions.hardswish(rebuilt)


def rec(model: ModelProto, normalisation: Normalisation, height: int, classes: int) -> ModelProto:
    """FLOAT [N,3,height,W] → FLOAT [N,T,C] becomes UINT8 [N,height,W,3] RGB → ids INT32 and probabilities FLOAT [N,T]."""
    graph = Graph(model)
    graph.drop_identities()
    graph.fold_constants()
    uint8_pixels(graph, REC_INPUT, normalisation)
    best_class(graph, classes, REC_IDS, REC_PROBABILITIES)
    rebuilt = graph.finish(
        {REC_INPUT: (TensorProto.UINT8, ["N", height, "W", 3])},
        {REC_IDS: (TensorProto.INT32, ["N", "T"]), REC_PROBABILITIES: (TensorProto.FLOAT, ["N", "T"])},
        "rec",
    )
    return fusions.hardswish(rebuilt)


def classes(model: ModelProto) -> int:
    """The number of a recognition network's classes, with the blank. Raises BundleError if it isn't such a network."""
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = Graph(copy)
    graph.drop_identities()
    return class_count(graph)
