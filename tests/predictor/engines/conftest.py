"""Bundles and lines that the engines are tried on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ppocr
from ppocr.contract import NetworkFacts
from predictor.bundle import Bundle
from tests import needs
from tests.predictor import receipts

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def v6() -> Bundle:
    """The built-in bundle."""
    return Bundle.open(Path(ppocr.__file__).parent / "bundles" / "ppocrv6-small" / "1")


@pytest.fixture(scope="session")
def v4() -> Bundle:
    """PP-OCRv4 mobile, which has Paddle's own format too."""
    return Bundle.open(needs.v4_bundle())


def facts(bundle: Bundle, network: str) -> NetworkFacts:
    """A network of the bundle by its name."""
    found = bundle.facts().network(network)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def page(v6: Bundle) -> np.ndarray:
    """One receipt on det's grid, UINT8 [1,H,W,3]."""
    return receipts.page("075", facts(v6, "det").grid)


@pytest.fixture(scope="session")
def lines(v6: Bundle) -> list[np.ndarray]:
    """The receipt's lines, grouped by width: UINT8 [N,48,W,3] each."""
    return receipts.lines("075", facts(v6, "rec").grid)
