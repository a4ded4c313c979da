"""Bundles and lines that the engines are tried on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ppocr
from ppocr.bundle import Bundle
from ppocr.contract import BundleFacts
from predictor.engines.base import EngineOptions, choose
from tests import needs
from transformer.boxes import boxes
from transformer.crops import crops
from transformer.det_input import det_input
from transformer.images.decode import decode
from transformer.parameters import Parameters

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def v6() -> Bundle:
    """The built-in bundle."""
    return Bundle.open(Path(ppocr.__file__).parent / "bundles" / "ppocrv6-small" / "1")


@pytest.fixture(scope="session")
def v4() -> Bundle:
    """PP-OCRv4 mobile, which has Paddle's own format too."""
    return Bundle.open(needs.v4_bundle())


@pytest.fixture(scope="session")
def facts(v6: Bundle) -> BundleFacts:
    return v6.facts()


@pytest.fixture(scope="session")
def page(receipt: bytes, facts: BundleFacts) -> np.ndarray:
    """One receipt on det's grid, UINT8 [1,H,W,3]."""
    return det_input(decode(receipt), facts.det, Parameters())[None]


@pytest.fixture(scope="session")
def lines(receipt: bytes, v6: Bundle, facts: BundleFacts) -> list[np.ndarray]:
    """The receipt's lines, grouped by width: UINT8 [N,48,W,3] each."""
    engine, options = choose("openvino", EngineOptions(precision="f32", threads=1))
    image = decode(receipt)
    network = engine.load(v6, "det", options)
    (probability,) = network.infer(det_input(image, facts.det, Parameters())[None])
    network.close()
    found, _ = crops(image, boxes(probability[0], image.shape[:2], facts.det, Parameters()), facts.rec)
    groups, start = [], 0
    for width in dict.fromkeys(found.widths.tolist()):
        count = int((found.widths == width).sum())
        size = count * facts.rec.height * width * 3
        groups.append(found.pixels[start : start + size].reshape(count, facts.rec.height, width, 3))
        start += size
    return groups
