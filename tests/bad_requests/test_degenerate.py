"""Images of the oddest sizes and contents, through the whole service: read, or refused, and never for long."""

from __future__ import annotations

import time

import cv2
import httpx
import numpy as np
import pytest

from tests.bad_requests.asking import V1, refused

SIZES = {"a pixel": (1, 1), "a column": (20_000, 1), "a row": (1, 20_000), "thin": (2, 3_000), "small": (300, 400)}
#: Seconds that noise may take more than white of its size: on a machine that does other things, the best of three.
NOISE = 1.0


def png(pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


def read(client: httpx.Client, pixels: np.ndarray) -> float:
    """Seconds until it was answered."""
    began = time.monotonic()
    answer = client.post(V1, content=png(pixels), headers={"content-type": "image/png"})
    took = time.monotonic() - began
    if answer.status_code == 200:
        (page,) = answer.json()["predictions"]
        assert [page["height"], page["width"]] == list(pixels.shape[:2])
    else:
        refused(answer, 400)
    return took


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_white_black_and_noise(client: httpx.Client, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    for plain in (np.full_like(noise, 255), np.zeros_like(noise)):
        read(client, plain)
    white = min(read(client, np.full_like(noise, 255)) for _ in range(3))
    assert min(read(client, noise) for _ in range(3)) < white + NOISE
