"""`pip install ./clients/python` into an empty environment: it reads over HTTP and gRPC, and brings nothing of the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

import pytest

import ppocr
import ppocr_api
from tests.services import Service

ROOT = Path(__file__).parents[3]
IMAGE = ROOT / "tests" / "data" / "075.jpg"
SERVERS_OWN = ("kserve", "cv2", "numpy", "fastapi", "openvino", "onnxruntime", "ppocr", "transformer", "predictor")
PROGRAM = """
import importlib.metadata, importlib.resources, importlib.util, json, sys
from ppocr_client import Client, GrpcClient
http, grpc, image, *others = sys.argv[1:]
with Client(http) as client:
    over_http = client.read(image)
with GrpcClient(grpc) as client:
    over_grpc = client.read(image)
print(json.dumps({
    "http": over_http.text,
    "grpc": over_grpc.text,
    "version": importlib.metadata.version("ppocr-client"),
    "installed": [name for name in others if importlib.util.find_spec(name)],
    "loaded": [name for name in others if name in sys.modules],
    "typed": importlib.resources.files("ppocr_client").joinpath("py.typed").is_file(),
}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the client and what it depends on."""
    folder = tmp_path_factory.mktemp("client")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    # The pip of this environment installs into that one; its cache makes the second run quick.
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", str(ROOT / "clients" / "python")], check=True, timeout=600, env=_environment())
    return python


def _environment() -> dict[str, str]:
    """Without this checkout on the path."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_it_reads_without_anything_of_the_server(service: Service, python: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [python, "-c", PROGRAM, service.url, service.grpc, IMAGE, *SERVERS_OWN],
        cwd=tmp_path,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert "LIAN HING STATIONERY SDN BHD" in answer["http"].splitlines()
    assert answer["grpc"] == answer["http"]
    assert answer["installed"] == answer["loaded"] == []
    assert answer["version"] == ppocr.__version__
    assert answer["typed"]


def test_client_and_server_have_one_version() -> None:
    assert ppocr_api.__version__ == ppocr.__version__
    for folder, path in ((ROOT, "ppocr/__init__.py"), (ROOT / "clients" / "python", "ppocr_api/__init__.py")):
        project = tomllib.loads((folder / "pyproject.toml").read_text())
        assert project["tool"]["hatch"]["version"]["path"] == path


def test_nothing_of_the_server_is_imported_by_the_client() -> None:
    """Also where the server is installed beside it."""
    program = (
        "import sys, ppocr_client.http_client, ppocr_client.grpc_client;"
        f"print(*[name for name in {SERVERS_OWN!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
