"""Turned pages and lines, read with the orientation networks: python -m bench.orientation --images DIR --labels DIR.

The receipts are read upright, turned by 90, 180 and 270 degrees, and with every labelled line turned upside down where it
stands; with and without the parameters. Then what each network costs a page: the time of its stages, from the service's
metrics, and the rate of one client with the parameter on and off, in turns.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import httpx

from bench import service
from bench.score import score
from bench.wire import V1_PATH

PAGES, LINES = "use_doc_orientation_classify", "use_textline_orientation"
TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--python", default=sys.executable, help="python of the service's environment [this one]")
    parser.add_argument("--rounds", type=int, default=2, help="passes over the images for the cost")
    options = parser.parse_args()
    images = {path.stem: cv2.imread(str(path)) for path in sorted(options.images.glob("*.jpg"))}
    running = service.all_in_one(options.python)
    running.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=300) as client:
            _quality(client, images, options.labels)
            _cost(client, images, options.rounds)
    finally:
        running.stop()


def _quality(client: httpx.Client, images: Mapping[str, Any], labels: Path) -> None:
    print("| receipts | parameter | token F1 | character F1 | pages turned | lines turned |\n|---|---|---|---|---|---|")
    upright = {name: _png(image) for name, image in images.items()}
    cases: list[tuple[str, dict[str, bytes], str]] = [("upright", upright, "")]
    cases += [("upright", upright, PAGES), ("upright", upright, LINES)]
    for angle, turn in TURNS.items():
        turned = {name: _png(cv2.rotate(image, turn)) for name, image in images.items()}
        cases += [(f"turned by {angle}", turned, ""), (f"turned by {angle}", turned, PAGES)]
        if angle == 180:
            cases.append((f"turned by {angle}", turned, LINES))
    for what, files, parameter in cases:
        pages = {name: _read(client, data, parameter) for name, data in files.items()}
        found = score({name: [line["text"] for line in page["lines"]] for name, page in pages.items()}, labels)
        turned_pages = sum(bool(page.get("angle")) for page in pages.values())
        all_lines = [line for page in pages.values() for line in page["lines"]]
        turned_lines = sum(bool(line.get("angle")) for line in all_lines)
        print(
            f"| {what} | {parameter or 'none'} | {found.tokens:.4f} | {found.characters:.4f} "
            f"| {turned_pages} of {len(pages)} | {turned_lines} of {len(all_lines)} |",
            flush=True,
        )


def _cost(client: httpx.Client, images: Mapping[str, Any], rounds: int) -> None:
    files = [_png(image) for image in images.values()]
    seconds = dict.fromkeys(("", PAGES, LINES), 0.0)
    for _ in range(rounds):
        for parameter in seconds:
            seconds[parameter] += _timed(lambda parameter=parameter: [_read(client, file, parameter) for file in files])  # type: ignore[misc]
    count = rounds * len(files)
    print("\n| parameter | ms a page, one client |\n|---|---|")
    for parameter, took in seconds.items():
        print(f"| {parameter or 'none'} | {took / count * 1000:.1f} |")


def _timed(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _read(client: httpx.Client, data: bytes, parameter: str) -> dict[str, Any]:
    parameters = {parameter: "true"} if parameter else {}
    answer = client.post(V1_PATH, content=data, params=parameters, headers={"content-type": "image/png"})
    answer.raise_for_status()
    page: dict[str, Any] = answer.json()["predictions"][0]
    return page


def _png(image: Any) -> bytes:
    return bytes(cv2.imencode(".png", image)[1])


if __name__ == "__main__":
    main()
