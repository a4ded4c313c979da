"""A network's items and answers as V2 tensors: the transformer's side of ppocr/network_wire.py.

An answer that can't be read, or isn't one to what was asked, is BadAnswer. transformer/answers.py checks its values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ppocr.contract import IDENTITY_PARAMETER, Answer, Items, NetworkFacts
from ppocr.network_wire import PIXELS, STEPS, WIDTHS, ragged
from ppocr.serving.tensors import DTYPES, NAMES, Array, TensorResponse, response_from_grpc
from ppocr_api.errors import BadAnswer, InvalidRequest, RequestError


def inputs_of(network: NetworkFacts, items: Items) -> dict[str, Array]:
    """The tensors of a request. Raises InvalidRequest for pages of different sizes, which no request can hold."""
    if ragged(network):
        return {PIXELS: items.pixels, WIDTHS: np.ascontiguousarray(items.sizes[:, 1])}
    if len(items) == 0 or (items.sizes != items.sizes[0]).any():
        raise InvalidRequest(f"{network.name} takes items of a single size per request")
    height, width = items.sizes[0].tolist()
    return {network.input: items.pixels.reshape(len(items), height, width, 3)}


def answer_of(network: NetworkFacts, items: Items, message: Any) -> Answer:
    """Reads an `oip.ModelInferResponse`. Raises BadAnswer if it isn't one to `items`."""
    response = _response(network, message)
    outputs = {output.name: _output(response.outputs, output.name, output.datatype) for output in network.outputs}
    if ragged(network):
        counts = _output(response.outputs, STEPS, "INT32")
        fits = all(array.ndim == 1 for array in (counts, *outputs.values()))
    else:
        shapes = {array.shape for array in outputs.values()}
        height, width = items.sizes[0].tolist()
        shape = shapes.pop()
        fits = not shapes and shape[:1] == (len(items),)
        fits = fits and (shape[1:] == (height, width) if network.grid.whole_pages else len(shape) <= 2)
        counts = np.full(len(items), math.prod(shape[1:]), np.int32)
    total = int(counts.sum(dtype=np.int64))
    fits = fits and len(counts) == len(items) and int(counts.min(initial=0)) >= 0
    if not fits or any(array.size != total for array in outputs.values()):
        raise BadAnswer(f"the predictor's answer of {network.name} doesn't fit what it was asked")
    identity = response.parameters.get(IDENTITY_PARAMETER, "")
    if not identity:
        raise BadAnswer("the predictor's answer doesn't say which version computed it: is it a ppocr predictor?")
    return Answer({name: array.reshape(-1) for name, array in outputs.items()}, counts, identity)


def _response(network: NetworkFacts, message: Any) -> TensorResponse:
    try:
        return response_from_grpc(message)
    except (RequestError, ValueError) as error:
        raise BadAnswer(f"the predictor's answer of {network.name} can't be read") from error


def _output(outputs: Mapping[str, Array], name: str, datatype: str) -> Array:
    array = outputs.get(name)
    if array is None or array.dtype != DTYPES[datatype]:
        found = "is missing" if array is None else f"is {NAMES[array.dtype]}"
        raise BadAnswer(f"the output '{name}' of the predictor {found}, and must be {datatype}")
    return array
