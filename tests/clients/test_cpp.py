"""The client in C++: its unit tests, and its example program against the real service."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import ppocr
from tests import needs
from tests.clients.read_program import ReadProgram

FOLDER = Path(__file__).parents[2] / "clients" / "cpp"


@pytest.fixture(scope="module")
def build() -> Path:
    """The folder that it is built in; CMake builds what has changed since."""
    cmake, folder = needs.program("cmake"), needs.CACHE.resolve() / "clients" / "cpp"
    with needs.one_at_a_time("cpp-client"):
        configured = subprocess.run(
            [cmake, "-S", FOLDER, "-B", folder], capture_output=True, text=True, timeout=100, check=False
        )
        if configured.returncode != 0:
            needs.missing("libraries in C++", configured.stderr[-2000:])
        done = subprocess.run(
            [cmake, "--build", folder, "--parallel", "2"], capture_output=True, text=True, timeout=500, check=False
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return folder


@pytest.fixture(scope="module")
def program(build: Path) -> list[str]:
    return [str(build / "ppocr-read")]


def test_unit_tests(build: Path) -> None:
    done = subprocess.run([build / "unit-tests"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"test cases: +(\d+)", done.stdout)[0]) > 12


def test_its_version_is_the_services() -> None:
    assert f"project(ppocr-client VERSION {ppocr.__version__} " in (FOLDER / "CMakeLists.txt").read_text()


class TestRead(ReadProgram):
    """`ppocr-read`."""
