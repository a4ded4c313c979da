"""What the clients' programs are compared with."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.services import Service


@pytest.fixture(scope="session")
def receipt_lines(service: Service, receipt: bytes) -> list[dict[str, Any]]:
    """The lines that V1 reads in the receipt."""
    answer = httpx.post(f"{service.url}/v1/models/ppocr:predict", content=receipt, timeout=60)
    lines: list[dict[str, Any]] = answer.raise_for_status().json()["predictions"][0]["lines"]
    assert "LIAN HING STATIONERY SDN BHD" in [line["text"] for line in lines]
    return lines
