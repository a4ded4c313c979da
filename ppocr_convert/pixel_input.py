"""The input of a rebuilt network: converts UINT8 NHWC RGB to the float NCHW tensor for its first convolution.

(x / 255 - mean) / std is a * (x - b) with a = 1 / (255 std), b = 255 mean; `a` and the order of the channels move into the
convolution's weights, so that one subtraction is left. `b` can't move into its bias: the convolution pads with zeros after
the normalisation.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from ppocr.contract import Normalisation
from ppocr_api.errors import BundleError
from ppocr_convert.graph import Graph


def uint8_pixels(graph: Graph, name: str, normalisation: Normalisation) -> None:
    """Makes the graph's input `name`, UINT8 [N,H,W,3] RGB. Raises BundleError if it doesn't begin with a convolution."""
    source = graph.input
    readers = graph.consumers(source)
    convolutions = [node for node in readers if node.op_type == "Conv"]
    if not convolutions or any(graph.attributes(node).get("group", 1) != 1 for node in convolutions):
        raise BundleError("the network's input isn't read by an ordinary convolution")
    # Other readers use only the shape, so the values don't matter to them.
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
