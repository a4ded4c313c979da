"""Asks a service all that tritonclient can ask: `triton_tools.py HTTP GRPC IMAGE`. Prints JSON."""

from __future__ import annotations

import json
import queue
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tritonclient.utils import InferenceServerException


def tensor(module: Any, image: bytes) -> Any:
    made = module.InferInput("image", [1], "BYTES")
    made.set_data_from_numpy(np.array([image], dtype=object))
    return made


def refusals(client: Any, *names: str) -> dict[str, list[str]]:
    found = {}
    for name in names:
        try:
            getattr(client, name)()
        except InferenceServerException as error:
            found[name] = [str(error.status()), str(error.message())]
    return found


def compressed(client: Any, image: bytes, **options: str) -> list[str]:
    answer = client.infer("ppocr", [tensor(sys.modules[client.__module__.rpartition(".")[0]], image)], **options)
    return [text.decode() for text in answer.as_numpy("text")]


def streamed(client: Any, image: bytes) -> list[Any]:
    answers: queue.Queue[Any] = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for number, data in enumerate((image, b"not an image", image)):
        client.async_stream_infer("ppocr", [tensor(over_grpc, data)], request_id=str(number))
    found = []
    for _ in range(3):
        result, error = answers.get(timeout=120)
        found.append(error.message() if error else [result.get_response().id, len(result.as_numpy("text"))])
    client.stop_stream()
    return found


def main(http: str, grpc: str, path: str) -> None:
    image = Path(path).read_bytes()
    one, other = over_http.InferenceServerClient(http), over_grpc.InferenceServerClient(grpc)
    said: dict[str, Any] = {
        "gzip": compressed(one, image, request_compression_algorithm="gzip", response_compression_algorithm="gzip"),
        "deflate": compressed(
            one, image, request_compression_algorithm="deflate", response_compression_algorithm="deflate"
        ),
        "stream": streamed(other, image),
        "http": {
            "server": one.get_server_metadata(),
            "metadata": one.get_model_metadata("ppocr"),
            "config": one.get_model_config("ppocr"),
            "statistics": one.get_inference_statistics("ppocr"),
            "all statistics": one.get_inference_statistics(),
            "index": one.get_model_repository_index(),
        },
        "grpc": {
            "server": other.get_server_metadata(as_json=True),
            "metadata": other.get_model_metadata("ppocr", as_json=True),
            "config": other.get_model_config("ppocr", as_json=True),
            "statistics": other.get_inference_statistics("ppocr", as_json=True),
            "index": other.get_model_repository_index(as_json=True),
        },
    }
    absent = (
        "get_trace_settings",
        "get_log_settings",
        "get_system_shared_memory_status",
        "get_cuda_shared_memory_status",
    )
    said["http absent"], said["grpc absent"] = refusals(one, *absent), refusals(other, *absent)
    print(json.dumps(said))


main(*sys.argv[1:])
