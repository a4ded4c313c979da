"""Images whose size never repeats: memory and open files stay level.

A hundred images by day; with PPOCR_NIGHTLY=1 ten thousand, then more until half an hour has passed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.hostile.asking import IMAGE, V1, post
from tests.services import Service

pytestmark = pytest.mark.alone

NIGHTLY = os.environ.get("PPOCR_NIGHTLY") == "1"
MIB = 1 << 20
CLIENTS = 4
#: Images until the level is read that the rest is compared with, images in all, and seconds that they take at the least.
SETTLED, COUNT, SECONDS = (1_000, 10_000, 1_800.0) if NIGHTLY else (50, 100, 0.0)
#: By day what is read once more is little beside what a size costs when it is new.
MOST = 1.05 if NIGHTLY else 1.15


def pictures(dice: np.random.Generator) -> Iterator[bytes]:
    """Pages with a line of text, each of another size."""
    while True:
        height, width = (int(side) for side in dice.integers(48, 400, 2))
        page = np.full((height, width, 3), 255, np.uint8)
        cv2.putText(page, str(dice.integers(10**6)), (5, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
        yield bytes(cv2.imencode(".png", page)[1])


def open_files(service: Service) -> int:
    return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))


def test_memory_and_files_stay_level(service: Service) -> None:
    service.wait_prepared()
    some = pictures(np.random.default_rng(23))
    sent, began, level, files = 0, time.monotonic(), 0, 0
    with ThreadPoolExecutor(CLIENTS) as pool:
        while sent < COUNT or time.monotonic() - began < SECONDS:
            bodies = [next(some) for _ in range(50)]
            assert {status for status, _ in pool.map(lambda body: post(service, V1, body, IMAGE), bodies)} == {200}
            sent += len(bodies)
            if sent == SETTLED:
                level, files = service.rss_bytes(), open_files(service)
    print(f"{sent} images: {level / MIB:.0f} MiB after {SETTLED}, {service.rss_bytes() / MIB:.0f} MiB at the end")
    assert service.rss_bytes() < MOST * level
    assert open_files(service) <= files + CLIENTS
