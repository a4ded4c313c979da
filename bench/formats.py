"""What a page costs by each wire format: python -m bench.formats --images DIR.

One client asks one service for each image by every format, in turns, and compares the times with those of V1's JSON with the same
file. A ratio is the median of the images' own ratios. What base64 costs shows in the raw body's.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from bench import service

JSON = {"content-type": "application/json"}
V1 = "V1, JSON"


def bodies(image: bytes) -> dict[str, tuple[str, bytes, dict[str, str]]]:
    """Format → path, body and headers of a request for `image`."""
    b64 = base64.b64encode(image).decode()

    def as_json(path: str, message: Any) -> tuple[str, bytes, dict[str, str]]:
        return path, json.dumps(message).encode(), JSON

    return {
        V1: as_json("/v1/models/ppocr:predict", {"instances": [{"image": {"b64": b64}}]}),
        "the file as the body": ("/v1/models/ppocr:predict", image, {"content-type": "image/jpeg"}),
        "V2, JSON": as_json(
            "/v2/models/ppocr/infer", {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [b64]}]}
        ),
        "PaddleServing's pipeline": as_json("/ocr/prediction", {"key": ["image"], "value": [b64]}),
        "PaddleServing's web service": as_json("/ocr/prediction", {"feed": [{"image": b64}], "fetch": ["res"]}),
        "PaddleHub": as_json("/predict/ocr_system", {"images": [b64]}),
        "PaddleX": as_json("/ocr", {"file": b64, "fileType": 1, "visualize": False}),
        "NIM": as_json("/v1/infer", {"input": [{"type": "image_url", "url": f"data:image/jpeg;base64,{b64}"}]}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--python", default=sys.executable, help="python of the service's environment [this one]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=20, help="images")
    options = parser.parse_args()
    images = [path.read_bytes() for path in sorted(options.images.glob("*.jpg"))[: options.count]]
    running = service.all_in_one(options.python)
    running.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=300) as client:
            times = _times(client, images, options.rounds)
    finally:
        running.stop()
    print("| format | ms a page | times V1 |\n|---|---|---|")
    for name, seconds in times.items():
        ratio = statistics.median(mine / v1 for mine, v1 in zip(seconds, times[V1], strict=True))
        print(f"| {name} | {statistics.mean(seconds) * 1000:.1f} | {ratio:.3f} |")


def _times(client: httpx.Client, images: list[bytes], rounds: int) -> dict[str, list[float]]:
    """Seconds of each image by each format: its best of the rounds. The first round makes the kernels, and isn't counted."""
    best: dict[str, list[float]] = {}
    for turn in range(rounds + 1):
        for index, image in enumerate(images):
            for name, (path, body, headers) in bodies(image).items():
                start = time.perf_counter()
                client.post(path, content=body, headers=headers).raise_for_status()
                took = time.perf_counter() - start
                known = best.setdefault(name, [float("inf")] * len(images))
                if turn:
                    known[index] = min(known[index], took)
    return best


if __name__ == "__main__":
    main()
