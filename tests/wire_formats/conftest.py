"""The recorded exchanges, and the service with a port for each format's clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import environments, needs
from tests.services import Service, all_in_one, free_port

#: Settings that open a further HTTP port.
HTTP_PORTS = ("pdserving_port", "web_service_port", "hubserving_ports", "paddlex_port")


@dataclass(frozen=True)
class Front:
    """A service, and the URL of each port that it opens besides, by the setting's name."""

    service: Service
    urls: dict[str, str]
    pipeline_grpc: str


@pytest.fixture(scope="package")
def cases() -> Path:
    """The folder of the recorded exchanges."""
    return needs.wire_cases()


@pytest.fixture(scope="package")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """`ppocr serve` with every further port."""
    ports = {name: free_port() for name in (*HTTP_PORTS, "pdserving_grpc_port")}
    flags = [word for name, port in ports.items() for word in (f"--{name}", str(port))]
    with all_in_one(tmp_path_factory.mktemp("front") / "log", *flags) as service:
        urls = {name: f"http://127.0.0.1:{ports[name]}" for name in HTTP_PORTS}
        yield Front(service, urls, f"127.0.0.1:{ports['pdserving_grpc_port']}")


@pytest.fixture(scope="package")
def pipeline_client() -> Path:
    """A Python that has PaddleServing's PipelineClient."""
    return environments.pipeline_client()


@pytest.fixture(scope="package")
def docling_client() -> Path:
    """A Python that has docling's own client of remote OCR engines."""
    return environments.docling_client()
