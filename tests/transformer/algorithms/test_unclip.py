"""Growing a rectangle needs no Clipper: the claim of transformer/algorithms/boxes.py, against Clipper itself."""

from __future__ import annotations

import cv2
import numpy as np
import pyclipper
import pytest
from numpy.typing import NDArray

from transformer.algorithms import boxes as module

F32 = NDArray[np.float32]
RATIO = 1.4


def clipper(corners: F32, scale: int) -> F32:
    """The smallest rectangle round Clipper's outline. Clipper knows whole numbers alone: it works at `scale` times."""
    distance = cv2.contourArea(corners) * RATIO / cv2.arcLength(corners, True)
    offset = pyclipper.PyclipperOffset(2.0, 0.0025 * scale)
    offset.AddPath((corners * scale).astype(int).tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    [outline] = offset.Execute(distance * scale)
    rectangle = cv2.minAreaRect((np.array(outline) / scale).astype(np.float32))
    return np.asarray(cv2.boxPoints(rectangle), np.float32)


def apart(ours: F32, theirs: F32) -> float:
    """The largest distance from one of our corners to the nearest of theirs, in pixels."""
    return float(np.linalg.norm(ours[:, None] - theirs[None], axis=2).min(axis=1).max())


@pytest.mark.parametrize("seed", range(50))
def test_the_grown_rectangle_is_clippers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rectangle = np.array([(*rng.uniform(100, 500, 2), *rng.uniform((6, 6), (400, 60)), rng.uniform(-90, 90))])
    core = module._corners(rectangle)[0].astype(np.float32)
    ours = module._corners(module._unclip(rectangle, RATIO))[0].astype(np.float32)
    # The corners of Clipper's arcs lie on the circle and its edges inside it.
    assert apart(ours, clipper(core, scale=1000)) < 0.02
