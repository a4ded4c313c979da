"""Paddle's `rnn` (the LSTM of PP-OCRv2) as ONNX's LSTM, layer by layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.builder import Builder, translates
from ppocr_convert.paddle_format.program import Operator

#: Paddle's gates are input, forget, cell, output; ONNX's input, output, forget, cell.
_GATES = [0, 3, 1, 2]


@translates("rnn")
def _rnn(builder: Builder, operator: Operator) -> None:
    """[T,N,C] → [T,N,directions · H]. The parameters are the weights of all layers, then the biases of all layers."""
    if operator.get("mode") != "LSTM":
        raise BundleError(f"a recurrent layer of the kind {operator.get('mode')} can't be translated; LSTM can")
    for state in builder.lists.get(operator.input(1), (operator.input(1),)):
        known = builder.constants.get(state)
        if known is None or known.any():
            raise BundleError("a recurrent layer that doesn't begin with zeros can't be translated")
    layers, hidden = operator.get("num_layers", 1), operator.get("hidden_size")
    directions = 2 if operator.get("is_bidirec", False) else 1
    parameters = [builder.constants[name] for name in builder.lists[operator.input(2)]]
    half = 2 * layers * directions
    weights, biases = parameters[:half], parameters[half:]
    x, out = operator.input(0), operator.outputs[0]
    for layer in range(layers):
        first, after = 2 * layer * directions, 2 * (layer + 1) * directions
        name = out if layer == layers - 1 else f"{out}.{layer}"
        tensors = {
            "input": _stack(weights[first:after:2]),
            "recurrence": _stack(weights[first + 1 : after : 2]),
            "bias": np.concatenate((_stack(biases[first:after:2]), _stack(biases[first + 1 : after : 2])), axis=1),
        }
        names = [builder.add(f"{name}.{key}", value) for key, value in tensors.items()]
        direction = "bidirectional" if directions == 2 else "forward"
        builder.node("LSTM", [x, *names], f"{name}.parts", hidden_size=hidden, direction=direction)
        # [T,directions,N,H] → [T,N,directions,H] → [T,N,directions · H]
        builder.node("Transpose", [f"{name}.parts"], f"{name}.beside", perm=[0, 2, 1, 3])
        shape = builder.add(f"{name}.joined", [0, 0, directions * hidden], np.int64)
        builder.node("Reshape", [f"{name}.beside", shape], name)
        x = name


def _stack(directions: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """[directions, 4H, …] with the gates in ONNX's order."""
    return np.stack([np.concatenate([np.split(value, 4)[gate] for gate in _GATES]) for value in directions])
