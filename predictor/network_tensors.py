"""A network's items and answers as V2 tensors: the predictor's side of ppocr/network_wire.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from ppocr.contract import Answer, Items, NetworkFacts
from ppocr.network_wire import PIXELS, STEPS, WIDTHS, ragged
from ppocr.serving.tensors import Array, TensorRequest
from ppocr_api.errors import InvalidRequest


def metadata(network: NetworkFacts) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Inputs and outputs as V2 metadata lists them."""
    grid = network.grid
    if ragged(network):
        inputs = [_tensor(PIXELS, "UINT8", [-1]), _tensor(WIDTHS, "INT32", [-1])]
        outputs = [_tensor(output.name, output.datatype, [-1]) for output in network.outputs]
        return inputs, [*outputs, _tensor(STEPS, "INT32", [-1])]
    height, width = (axis.minimum if axis.fixed else -1 for axis in (grid.height, grid.width))
    shape = [-1, -1, -1] if grid.whole_pages else [-1]
    outputs = [_tensor(output.name, output.datatype, shape) for output in network.outputs]
    return [_tensor(network.input, "UINT8", [-1, height, width, 3])], outputs


def items_of(network: NetworkFacts, request: TensorRequest) -> Items:
    """The items of a request, without a copy. Raises InvalidRequest for tensors that aren't those of `network`."""
    if ragged(network) and network.input not in request.inputs:
        pixels, widths = request.tensor(PIXELS, "UINT8", 1), request.tensor(WIDTHS, "INT32", 1)
        heights = np.full(len(widths), network.grid.height.minimum, np.int32)
        return Items(pixels, np.stack((heights, widths), axis=1))
    images = request.tensor(network.input, "UINT8", 4)
    if not len(images) or images.shape[3] != 3:
        raise InvalidRequest(
            f"input '{network.input}' has the shape {list(images.shape)}; expected [N,H,W,3] with N at least 1"
        )
    network.grid.check(network.name, images.shape[1], images.shape[2])
    sizes = np.tile(np.array(images.shape[1:3], np.int32), (len(images), 1))
    return Items(np.ascontiguousarray(images).reshape(-1), sizes)


def outputs_of(network: NetworkFacts, request: TensorRequest, items: Items, answer: Answer) -> dict[str, Array]:
    """The tensors of the answer, in the form that the request had."""
    if network.input not in request.inputs:
        return {**answer.outputs, STEPS: answer.counts}
    count, (height, width) = int(answer.counts[0]), items.sizes[0].tolist()
    if network.grid.whole_pages and count == height * width:
        shape = [len(items), height, width]
    else:
        shape = [len(items)] if count == 1 else [len(items), count]
    return {name: values.reshape(shape) for name, values in answer.outputs.items()}


def _tensor(name: str, datatype: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape}
