"""Decodes named files, each in a process of its own, and says what it cost: seconds of CPU, and bytes at the peak."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from ppocr_api.errors import PpocrError
from tests.transformer.images import files, harmless, large, nasty
from transformer.images import decode

CORPORA = {"corpus": nasty.CORPUS, "harmless": harmless.HARMLESS, "large": large.KINDS}
STATUS = Path("/proc/self/status")


def memory(field: str) -> int:
    """VmRSS or VmHWM (its peak) in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def cost(corpus: str, name: str) -> dict[str, float | str]:
    data = CORPORA[corpus][name]()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from the present level
    before, started = memory("VmRSS"), time.process_time()
    try:
        shape = decode(data).shape
        outcome = f"{shape[1]} x {shape[0]}"
    except PpocrError as error:
        outcome = type(error).__name__
    seconds = time.process_time() - started
    return {"seconds": seconds, "memory": memory("VmHWM") - before, "outcome": outcome}


def alone(corpus: str, name: str) -> str:
    """`cost` in a child: memory that one picture freed and the allocator kept would hide what the next one takes."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, json.dumps(cost(corpus, name)).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as answer:
        said = answer.read()
    os.wait()
    return said


if __name__ == "__main__":
    decode(files.written("PNG"))
    print(json.dumps({name: json.loads(alone(sys.argv[1], name)) for name in CORPORA[sys.argv[1]]}))
