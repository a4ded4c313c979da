"""Reads an image with tritonclient: `triton_client.py http|grpc ADDRESS IMAGE`. Prints JSON."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def main(protocol: str, address: str, image: str) -> None:
    triton: Any = importlib.import_module(f"tritonclient.{protocol}")
    client = triton.InferenceServerClient(address)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("ppocr")
    tensor = triton.InferInput("image", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([Path(image).read_bytes()], dtype=object))
    names = ("text", "confidence", "points", "count")
    answer = client.infer("ppocr", [tensor], outputs=[triton.InferRequestedOutput(name) for name in names])
    confident = client.infer("ppocr", [tensor], parameters={"text_rec_score_thresh": 0.99})
    metadata = client.get_model_metadata("ppocr")
    print(
        json.dumps(
            {
                "text": [text.decode() for text in answer.as_numpy("text")],
                "count": answer.as_numpy("count").tolist(),
                "points_shape": answer.as_numpy("points").shape,
                "confident": [text.decode() for text in confident.as_numpy("text")],
                "inputs": [
                    entry["name"] if isinstance(entry, dict) else entry.name
                    for entry in (metadata["inputs"] if isinstance(metadata, dict) else metadata.inputs)
                ],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
