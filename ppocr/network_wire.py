"""`Predictor.run` as V2 tensors. Which form a network has follows from its grid.

| items | inputs | outputs |
|---|---|---|
| of one size: pages, thumbnails | `NetworkFacts.input` UINT8 [N,H,W,3] | [N], [N,H,W] or [N,T] |
| of one height and any widths: lines | `pixels` UINT8 [P], `widths` INT32 [N] | flat [S], and `steps` INT32 [N] |

Lines of one width may also have the first form. In the second they follow each other, each as its own contiguous
[height, w, 3] block, P bytes in all, and so do the elements of the answer, S in all. For the networks `det` and `rec` these
are the forms of earlier releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ppocr.contract import IDENTITY_PARAMETER, Answer, Items, NetworkFacts
from ppocr.serving.tensors import DTYPES, NAMES, Array, TensorRequest, TensorResponse
from ppocr_api.errors import BadAnswer, InvalidRequest

PIXELS, WIDTHS, STEPS = "pixels", "widths", "steps"


def ragged(network: NetworkFacts) -> bool:
    """Whether its items have one height and any widths."""
    return network.grid.height.fixed and not network.grid.width.fixed


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


def inputs_of(network: NetworkFacts, items: Items) -> dict[str, Array]:
    """The tensors of a request. Raises InvalidRequest for pages of different sizes, which no request can hold."""
    if ragged(network):
        return {PIXELS: items.pixels, WIDTHS: np.ascontiguousarray(items.sizes[:, 1])}
    if len(items) == 0 or (items.sizes != items.sizes[0]).any():
        raise InvalidRequest(f"{network.name} takes items of one size in a request")
    height, width = items.sizes[0].tolist()
    return {network.input: items.pixels.reshape(len(items), height, width, 3)}


def items_of(network: NetworkFacts, request: TensorRequest) -> Items:
    """The items of a request, without a copy. Raises InvalidRequest for tensors that aren't those of `network`."""
    if ragged(network) and network.input not in request.inputs:
        pixels, widths = request.tensor(PIXELS, "UINT8", 1), request.tensor(WIDTHS, "INT32", 1)
        heights = np.full(len(widths), network.grid.height.minimum, np.int32)
        return Items(pixels, np.stack((heights, widths), axis=1))
    images = request.tensor(network.input, "UINT8", 4)
    if not len(images) or images.shape[3] != 3:
        raise InvalidRequest(
            f"input '{network.input}' has the shape {list(images.shape)}, and must be [N,H,W,3], N from 1"
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


def answer_of(network: NetworkFacts, items: Items, response: TensorResponse) -> Answer:
    """Reads a predictor's answer. Raises BadAnswer where it isn't one to `items`."""
    outputs = {output.name: _flat(response.outputs, output.name, output.datatype) for output in network.outputs}
    if ragged(network):
        counts = _flat(response.outputs, STEPS, "INT32")
    else:
        first = next(iter(outputs.values()))
        counts = np.full(len(items), len(first) // len(items), np.int32)
    total = int(counts.sum(dtype=np.int64))
    fits = len(counts) == len(items) and (len(counts) == 0 or int(counts.min()) >= 0)
    if not fits or any(len(values) != total for values in outputs.values()):
        raise BadAnswer(f"the predictor's answer of {network.name} doesn't fit what it was asked")
    identity = response.parameters.get(IDENTITY_PARAMETER, "")
    if not identity:
        raise BadAnswer("the predictor's answer doesn't say which version computed it: is it a ppocr predictor?")
    return Answer(outputs, counts, identity)


def _flat(outputs: Mapping[str, Array], name: str, datatype: str) -> Array:
    array = outputs.get(name)
    if array is None or array.dtype != DTYPES[datatype]:
        found = "is missing" if array is None else f"is {NAMES[array.dtype]}"
        raise BadAnswer(f"the output '{name}' of the predictor {found}, and must be {datatype}")
    return array.reshape(-1)


def _tensor(name: str, datatype: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape}
