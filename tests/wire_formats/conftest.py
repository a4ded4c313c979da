"""The recorded exchanges, and the service with a port for each format's clients."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import needs
from tests.services import Service, all_in_one, free_port

HERE = Path(__file__).parent
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
    """A Python that has PaddleServing's PipelineClient: its wheels need Python 3.8 and libraries of their time."""
    return _environment("pipeline-client", needs.python38(), HERE / "pipeline_client.txt", "PaddleServing's client")


@pytest.fixture(scope="package")
def docling_client() -> Path:
    """A Python that has docling's own client of remote OCR engines."""
    return _environment("docling-client", sys.executable, HERE / "docling_client.txt", "docling")


def _environment(name: str, python: str, wanted: Path, what: str) -> Path:
    """The Python of an environment with the packages that `wanted` pins. Where it can't be made, `what` is missing."""
    folder = needs.CACHE / name
    own, made = folder / "bin" / "python", folder / "made"
    with needs.one_at_a_time(name):
        if not made.is_file() or made.read_text() != wanted.read_text():
            try:
                subprocess.run([python, "-m", "venv", "--clear", folder], check=True, capture_output=True)
                install = [own, "-m", "pip", "install", "--quiet", "--no-deps", "-r", wanted]
                subprocess.run(install, check=True, capture_output=True, text=True, timeout=600)
            except subprocess.CalledProcessError as error:
                needs.missing(what, f"{error} {str(error.stderr)[-2000:]}")
            except subprocess.SubprocessError as error:
                needs.missing(what, str(error))
            made.write_text(wanted.read_text())
    return own
