"""What the guards cost beside the decoding that they guard."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from transformer.images import ImageLimits, jpeg

pytestmark = pytest.mark.alone


def seconds(work: Callable[[], object]) -> float:
    """CPU time of this thread, the least of ten."""
    taken = []
    for _ in range(10):
        started = time.thread_time()
        work()
        taken.append(time.thread_time() - started)
    return min(taken)


def test_the_guards_of_a_jpeg_cost_less_than_three_hundredths_of_decoding_it(receipts: Path) -> None:
    guards = decoding = 0.0
    for path in sorted(receipts.glob("*.jpg"))[::8]:
        data = path.read_bytes()
        guards += seconds(lambda data=data: jpeg.read(memoryview(data), ImageLimits()))  # type: ignore[misc]
        pixels = np.frombuffer(data, np.uint8)
        decoding += seconds(lambda pixels=pixels: cv2.imdecode(pixels, cv2.IMREAD_COLOR_RGB))  # type: ignore[misc]
    assert guards < 0.03 * decoding
