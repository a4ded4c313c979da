"""The programs that the chart's tests run, where they are installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.needs import program

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "charts" / "ppocr"
VALUE_FILES = sorted([*(CHART / "ci").glob("*-values.yaml"), CHART / "values-gpu.yaml"])


def run(name: str, *arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end."""
    command = [program(name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, check=False, cwd=ROOT)


def template(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`helm template` of the chart as release ppocr in namespace ocr."""
    return run("helm", "template", "ppocr", CHART, "--namespace", "ocr", *arguments)
