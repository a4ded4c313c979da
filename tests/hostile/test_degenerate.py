"""Images of the oddest sizes and contents, through the whole service: read, or refused, and never for long."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.hostile.asking import IMAGE, V1, post
from tests.services import Service

pytestmark = pytest.mark.alone

SIZES = {"a pixel": (1, 1), "a column": (20_000, 1), "a row": (1, 20_000), "thin": (2, 3_000), "small": (300, 400)}
#: What noise may take more than white of its size: a second of two processors. Their time is counted, since other work beside
#: doesn't change it.
NOISE = 2.0


def used(service: Service) -> float:
    """Seconds of processors that the service has taken."""
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read(service: Service, pixels: np.ndarray) -> float:
    """Seconds of processors that the answer took."""
    before = used(service)
    status, answer = post(service, V1, bytes(cv2.imencode(".png", pixels)[1]), IMAGE)
    took = used(service) - before
    if status == 200:
        (page,) = json.loads(answer)["predictions"]
        assert [page["height"], page["width"]] == list(pixels.shape[:2])
    else:
        assert status == 400 and json.loads(answer)["error"]
    return took


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_white_black_and_noise(service: Service, size: tuple[int, int]) -> None:
    service.wait_prepared()
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    read(service, np.zeros_like(noise))
    white = min(read(service, np.full_like(noise, 255)) for _ in range(2))
    assert min(read(service, noise) for _ in range(2)) < white + NOISE
