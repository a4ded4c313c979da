"""Environments of a foreign client's own: its packages, in versions that ours don't fit.

`python -m tests.environments NAME…` makes them before the tests run: inside a cluster's network there is no package index.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs

_PINS = Path(__file__).parent / "wire_formats"


def pipeline_client() -> Path:
    """A Python that has PaddleServing's PipelineClient: its wheels need Python 3.8 and libraries of their time."""
    return _environment("pipeline-client", needs.python38(), _PINS / "pipeline_client.txt", "PaddleServing's client")


def docling_client() -> Path:
    """A Python that has docling's own client of remote OCR engines."""
    return _environment("docling-client", sys.executable, _PINS / "docling_client.txt", "docling")


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


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        with contextlib.suppress(pytest.skip.Exception):  # its tests are skipped then, and say why
            {"pipeline-client": pipeline_client, "docling-client": docling_client}[wanted]()
