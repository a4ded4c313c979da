"""The model's tensors as a Triton model configuration."""

from __future__ import annotations

from typing import Any

from transformer.routes.v2 import INPUTS, OUTPUTS


def config_of(model: str) -> dict[str, Any]:
    """Triton's JSON of a model configuration. The first side of each tensor is its number of elements, not a batch."""
    return {
        "name": model,
        "platform": "ppocr",
        "backend": "ppocr",
        "max_batch_size": 0,
        "input": [_tensor(tensor) for tensor in INPUTS],
        "output": [_tensor(tensor) for tensor in OUTPUTS],
        "model_transaction_policy": {"decoupled": False},
    }


def _tensor(tensor: dict[str, Any]) -> dict[str, Any]:
    datatype = "STRING" if tensor["datatype"] == "BYTES" else tensor["datatype"]
    return {"name": tensor["name"], "data_type": f"TYPE_{datatype}", "dims": list(tensor["shape"])}
