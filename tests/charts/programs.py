"""The programs that the chart's tests run, where they are installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.needs import program

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "charts" / "ppocr"
RUNTIME = ROOT / "charts" / "ppocr-runtime"
VALUE_FILES = sorted(
    [*(CHART / "ci").glob("*-values.yaml"), CHART / "values-gpu.yaml", *(RUNTIME / "ci").glob("*-values.yaml")]
)


def run(name: str, *arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end."""
    command = [program(name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, check=False, cwd=ROOT)


def template(*arguments: str | Path, chart: Path = CHART) -> subprocess.CompletedProcess[str]:
    """`helm template` of a chart as the release of its name in namespace ocr."""
    return run("helm", "template", chart.name, chart, "--namespace", "ocr", *arguments)


def chart_of(values: Path) -> Path:
    """The chart that a file of values belongs to."""
    return RUNTIME if values.is_relative_to(RUNTIME) else CHART
