"""`ppocr capacity` against the real service: small searches."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.services import Service, free_port

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "tests" / "data"
SMALL = ("--images", str(IMAGES), "--step_seconds", "2.5", "--min_requests", "1")


def capacity(url: str, *options: str, module: str = "ppocr") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *(("ppocr", "capacity") if module == "ppocr" else (module,)), url, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def test_a_rate_that_holds_and_what_a_site_needs(service: Service) -> None:
    options = [*SMALL, "--p95", "25", "--start", "0.8", "--highest", "0.8", "--rate", "5", "--parts", "service:1:2"]
    done = capacity(service.url, *options, "--json")
    assert done.returncode == 0, done.stderr
    (track,) = json.loads(done.stdout)["tracks"]
    assert track["images_per_second"] == 0.8
    (step,) = track["steps"]
    assert step["holds"] and step["read"] == step["sent"] > 0 and step["lines_per_second"] > 1
    assert [re.fullmatch(r"- ppocrv6-small/\d+", by) is not None for by in step["answered_by"]] == [True]
    (size,) = track["sizes"]
    assert size["part"] == "service" and size["pods"] == 9  # 5 images/s of 0.8 * 0.7 each
    assert size["cpu_percent"] >= 1 and size["queue_pixels"] >= 1
    assert "0.80 images/s" in done.stderr and "holds" in done.stderr


def test_what_does_not_hold_is_the_exit_code(service: Service) -> None:
    done = capacity(service.url, *SMALL, "--p95", "0.001", module="ppocr_capacity")
    assert done.returncode == 1
    assert re.search(r"^service +- +nothing", done.stdout, re.MULTILINE), done.stdout


def test_nobody_there_is_said(tmp_path: Path) -> None:
    done = capacity(f"http://127.0.0.1:{free_port()}", *SMALL)
    assert done.returncode == 2
    assert "reads none of the images: ConnectError" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--images", "/nowhere"], "must be a folder with images"),
        ([*SMALL, "--track", "canary"], "--track has 'canary', and must be NAME=URL"),
        ([*SMALL, "--parts", "predictor:many"], "--parts has 'predictor:many'"),
        ([*SMALL, "--metrics", "predictor=http://127.0.0.1/metrics"], "--metrics names predictor"),
        ([*SMALL, "--header", "x"], "must be NAME: VALUE"),
        ([*SMALL, "--p95", "0"], "p95"),
    ],
)
def test_wrong_options_are_said(options: list[str], sentence: str) -> None:
    done = capacity("http://127.0.0.1:1", *options)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_every_option_is_documented() -> None:
    import dataclasses

    from ppocr_capacity.command import CapacitySettings

    text: Any = (ROOT / "docs" / "loadtest.md").read_text()
    assert [field.name for field in dataclasses.fields(CapacitySettings) if f"`--{field.name}`" not in text] == []
