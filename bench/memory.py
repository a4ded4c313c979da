"""python -m bench.memory: whether the service's memory stays flat over thousands of requests of mixed sizes.

Each request is a crop of one of the images, of a random size and place, now and then cut off in the middle of its
file; all is drawn from a seed, so that two runs send the same. Memory is that of the whole process tree: the level
after 1,000 requests is compared with that at the end.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from bench.processes import end_on_sigterm, resident_bytes
from bench.service import Request, all_in_one, drive
from bench.wire import V1_PATH

#: Requests between two readings of the memory.
CHUNK = 100
SETTLED = 1000
BROKEN = 0.02


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of images to cut from")
    parser.add_argument("--count", type=int, default=10_000, help="requests [10000]")
    parser.add_argument("--clients", type=int, default=8, help="clients at once [8]")
    parser.add_argument("--largest", type=int, default=480, help="longest side of a crop, in pixels [480]")
    parser.add_argument("--seed", type=int, default=1, help="of the crops' sizes and places [1]")
    parser.add_argument("--python", default=sys.executable, help="python of the service's environment [this one]")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "memory.json")
    options = parser.parse_args(argv)
    if options.count < 2 * SETTLED:
        parser.error(f"--count must be at least {2 * SETTLED}: memory is compared with that after {SETTLED} requests")

    end_on_sigterm()
    service = all_in_one(options.python)
    service.start()
    try:
        levels = measure(service.port, service.pids, options)
    finally:
        service.stop()
    early = statistics.median(levels[SETTLED // CHUNK - 1 : SETTLED // CHUNK + 2])
    late = statistics.median(levels[-3:])
    growth = late / early - 1
    print(
        f"memory after {SETTLED} requests {early / 2**20:.0f} MiB, after {options.count} {late / 2**20:.0f} MiB: ",
        end="",
    )
    print(f"{growth:+.1%} (bar: less than +5 %)")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"count": options.count, "every": CHUNK, "resident_bytes": levels, "growth": growth}
    options.out.write_text(json.dumps(result) + "\n", encoding="utf-8")


def measure(port: int, pids: Sequence[int], options: argparse.Namespace) -> list[int]:
    """Resident bytes after each `CHUNK` requests."""
    stream = requests(options)
    levels = []
    for start in range(0, options.count, CHUNK):
        chunk = [next(stream) for _ in range(min(CHUNK, options.count - start))]
        answers, wall = drive(port, chunk, options.clients)
        unexpected = [answer for answer in answers if answer.status != (400 if answer.name == "broken" else 200)]
        if unexpected:
            raise SystemExit(f"{unexpected[0].name} was answered {unexpected[0].status}: {unexpected[0].body[:300]!r}")
        levels.append(resident_bytes(*pids))
        rate = len(chunk) / wall
        progress = f"{start + len(chunk):6} requests  {levels[-1] / 2**20:7.0f} MiB  {rate:6.1f} requests/s"
        print(progress, file=sys.stderr, flush=True)
    return levels


def requests(options: argparse.Namespace) -> Iterator[Request]:
    """Crops without end, as JPEG or PNG."""
    drawn = random.Random(options.seed)
    images = [Image.open(path).convert("RGB") for path in sorted(options.images.glob("*.jpg"))]
    while True:
        image = drawn.choice(images)
        width, height = (min(side, drawn.randint(32, options.largest)) for side in image.size)
        left, top = drawn.randint(0, image.width - width), drawn.randint(0, image.height - height)
        file = io.BytesIO()
        kind = drawn.choice(["jpeg", "png"])
        image.crop((left, top, left + width, top + height)).save(file, kind)
        data = file.getvalue()
        if drawn.random() < BROKEN:
            yield Request("broken", V1_PATH, data[: len(data) // 2], f"image/{kind}")
        else:
            yield Request("crop", V1_PATH, data, f"image/{kind}")


if __name__ == "__main__":
    main()
