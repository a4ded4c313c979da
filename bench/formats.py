"""What a page costs by each wire format: python -m bench.formats --images DIR.

One client asks one service for each image by every format, in turns, and compares the times with those of V1's JSON with the same
file. A ratio is the median of the images' own ratios. What base64 costs shows in the raw body's.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import httpx

from bench import service
from bench.wire import ALL, V1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--python", default=sys.executable, help="python of the service's environment [this one]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=20, help="images")
    options = parser.parse_args()
    images = sorted(options.images.glob("*.jpg"))[: options.count]
    running = service.all_in_one(options.python)
    running.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=300) as client:
            times = _times(client, images, options.rounds)
    finally:
        running.stop()
    print("| format | ms a page | times V1 |\n|---|---|---|")
    for name, seconds in times.items():
        ratio = statistics.median(mine / v1 for mine, v1 in zip(seconds, times[V1.name], strict=True))
        print(f"| {name} | {statistics.mean(seconds) * 1000:.1f} | {ratio:.3f} |")


def _times(client: httpx.Client, images: list[Path], rounds: int) -> dict[str, list[float]]:
    """Seconds of each image by each format: its best of the rounds. The first round makes the kernels, and isn't counted.

    The formats take turns from image to image, in an order that moves on by one each round.
    """
    best = {wire.name: [float("inf")] * len(images) for wire in ALL}
    for turn in range(rounds + 1):
        for index, image in enumerate(images):
            content = image.read_bytes()
            for step in range(len(ALL)):
                wire = ALL[(step + turn) % len(ALL)]
                body, headers = wire.body(content), {"content-type": wire.content_type(image)}
                start = time.perf_counter()
                answer = client.post(wire.path, content=body, headers=headers).raise_for_status()
                took = time.perf_counter() - start
                wire.texts(answer.json())
                if turn:
                    best[wire.name][index] = min(best[wire.name][index], took)
    return best


if __name__ == "__main__":
    main()
