"""One client for all, and the service answers after whatever a test did."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.bad_requests.asking import V1
from tests.services import Service


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=60) as client:
        yield client


@pytest.fixture(autouse=True)
def still_reads(client: httpx.Client, receipt: bytes) -> Iterator[None]:
    """After whatever a test did, the service answers."""
    yield
    small = client.post(V1, content=receipt, headers={"content-type": "image/jpeg"})
    assert small.status_code == 200
    assert small.json()["predictions"][0]["lines"]
