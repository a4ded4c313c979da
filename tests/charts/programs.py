"""The programs that the chart's tests run, where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "charts" / "ppocr"
#: Sets a PATH that has the programs of the test cluster; reading it starts nothing.
CLUSTER = ROOT.parent / "shared" / "cluster" / "lib.sh"
VALUE_FILES = sorted([*(CHART / "ci").glob("*-values.yaml"), CHART / "values-gpu.yaml"])


def program(name: str) -> str:
    """Where a program is; skips the test where it isn't installed."""
    path = shutil.which(name)
    if path is None and CLUSTER.exists():
        found = subprocess.run(
            ["bash", "-c", f'. "{CLUSTER}"; type -P {name}'], capture_output=True, text=True, check=False
        )
        path = found.stdout.strip() or None
    if path is None:
        pytest.skip(f"{name} is not installed: it is neither on PATH nor among the test cluster's programs")
    return path


def run(name: str, *arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end."""
    command = [program(name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, check=False, cwd=ROOT)


def template(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`helm template` of the chart as release ppocr in namespace ocr."""
    return run("helm", "template", "ppocr", CHART, "--namespace", "ocr", *arguments)
