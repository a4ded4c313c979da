"""Runs Locust against a service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.services import Service

ROOT = Path(__file__).parent.parent.parent
IMAGES = ROOT / "tests" / "data"


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str
    report: dict[str, Any]

    def row(self, protocol: str) -> dict[str, Any]:
        (row,) = [row for row in self.report["rows"] if row["protocol"] == protocol]
        return row


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Runs locust to its end: `load(service, "--option", …, VARIABLE="…")`.

    It isn't imported: it replaces half of the standard library in the process that does.
    """

    def run(service: Service, *options: str, **environ: str) -> Outcome:
        report = tmp_path / "report.json"
        address = ["--host", service.url, "--grpc-target", service.grpc]
        command = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless", "--only-summary"]
        done = subprocess.run(
            [*command, *address, "--report", str(report), *options],
            cwd=ROOT,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, json.loads(report.read_text()) if report.exists() else {})

    return run


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder with the receipts, without labels."""
    folder = tmp_path / "images"
    folder.mkdir()
    for path in IMAGES.glob("*.jpg"):
        shutil.copy(path, folder)
    return folder
