"""Fuses operators that an exporter has split, if engines run the fused operator faster."""

from __future__ import annotations

import onnx
from onnx import ModelProto, NodeProto, version_converter

from ppocr_convert.graph import Graph

#: The first opset that has HardSwish.
OPSET = 14


def hardswish(model: ModelProto) -> ModelProto:
    """x · HardSigmoid(x), as exporters write it, → HardSwish(x). A network without such pairs is returned unchanged.

    OpenVINO computes HardSwish at the end of the convolution before it. A HardSigmoid of its own is a float32 kernel
    with changes of layout on both sides: PP-OCRv4's networks take 1.4 (f32) to 1.9 times (bf16) as long with it.
    onnxruntime splits HardSwish again, and is equally fast with both. The HardSigmoid that scales the channels of
    a squeeze-and-excitation block stays: it works on single pixels, and other forms of it are no faster.
    """
    if not _pairs(Graph(model)):
        return model
    if max(item.version for item in model.opset_import if item.domain == "") < OPSET:
        model = version_converter.convert_version(model, OPSET)
    graph = Graph(model)
    for sigmoid, product in _pairs(graph):
        product.op_type = "HardSwish"
        del product.input[:]
        product.input.append(sigmoid.input[0])
        graph.remove(sigmoid)
    fused = graph.store()
    onnx.checker.check_model(fused, full_check=True)
    return fused


def _pairs(graph: Graph) -> list[tuple[NodeProto, NodeProto]]:
    """Each HardSigmoid that is ReLU6(x + 3) / 6, and the product with x that is its only reader."""
    outputs = {item.name for item in graph.model.graph.output}
    found = []
    for node in graph.nodes:
        if node.op_type != "HardSigmoid" or not _is_relu6(graph, node):
            continue
        readers = graph.consumers(node.output[0])
        if len(readers) != 1 or readers[0].op_type != "Mul" or node.output[0] in outputs:
            continue
        if sorted(readers[0].input) == sorted((node.input[0], node.output[0])):
            found.append((node, readers[0]))
    return found


def _is_relu6(graph: Graph, node: NodeProto) -> bool:
    attributes = graph.attributes(node)
    alpha, beta = float(attributes.get("alpha", 0.2)), float(attributes.get("beta", 0.5))
    return abs(alpha - 1 / 6) < 1e-6 and beta == 0.5
