"""What a new user has: an image, and a service on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from tests.services import Service

IMAGE = Path(__file__).parent.parent / "data" / "075.jpg"


@pytest.fixture(scope="module")
def lines(service: Service, receipt: bytes) -> list[str]:
    """What the service reads in the receipt."""
    answer = httpx.post(f"{service.url}/v1/models/ppocr:predict", content=receipt, timeout=60)
    (prediction,) = answer.raise_for_status().json()["predictions"]
    texts = [line["text"] for line in prediction["lines"]]
    assert "LIAN HING STATIONERY SDN BHD" in texts
    return texts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with image.jpg."""
    shutil.copy(IMAGE, tmp_path / "image.jpg")
    return tmp_path
