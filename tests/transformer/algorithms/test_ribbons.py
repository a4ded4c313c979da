"""Laying ribbons straight: the same pixels however large they are, in a few megabytes."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from transformer.algorithms import ribbons
from transformer.algorithms.ribbons import along


def test_blocks_make_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    image = cv2.blur(image, (5, 5))  # type: ignore[assignment]
    angles = np.linspace(np.pi, 2 * np.pi, 20)
    # It sticks out of the image.
    ribbon = along(150 + 145 * np.stack((np.cos(angles), np.sin(angles)), axis=1), 12)
    monkeypatch.setattr(ribbons, "BLOCK", 1 << 30)
    whole = ribbon.straightened(image)
    monkeypatch.setattr(ribbons, "BLOCK", 500)
    assert np.abs(ribbon.straightened(image).astype(int) - whole).max() <= 2


def test_a_large_ribbon_takes_little_more_than_itself() -> None:
    image = np.zeros((1200, 5000, 3), np.uint8)
    ribbon = along(np.stack((np.linspace(10, 4990, 30), np.linspace(400, 800, 30)), axis=1), 300)
    tracemalloc.start()
    try:
        straight = ribbon.straightened(image)
        assert tracemalloc.get_traced_memory()[1] < straight.nbytes + 64 * 2**20
    finally:
        tracemalloc.stop()


def test_an_image_may_be_wider_than_opencv_takes_pictures() -> None:
    image = np.zeros((40, 40_000, 3), np.uint8)
    image[:] = (np.arange(40_000) // 200 % 256).astype(np.uint8)[:, None]
    ribbon = along(np.stack((np.linspace(0, 40_000, 64), np.full(64, 20.0)), axis=1), 5)
    assert (ribbon.straightened(image) == image[15:25]).all()
