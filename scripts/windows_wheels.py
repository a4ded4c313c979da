#!/usr/bin/env python3
"""Writes tests/data/windows_wheels.txt: the wheel for Windows of each package in requirements/serve.txt, as pip finds it.

    python scripts/windows_wheels.py

Nothing is installed. A package without such a wheel ends it with pip's own sentence.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "serve.txt"
OUT = ROOT / "tests" / "data" / "windows_wheels.txt"
HEAD = "# What Windows installs of requirements/serve.txt. scripts/windows_wheels.py writes it; tests/test_windows.py reads it.\n"


def main() -> None:
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)(.*)$", LOCK.read_text(), re.MULTILINE)
    wanted: dict[str, list[str]] = {"3.11": [], "3.12": []}
    for name, version, marker in pinned:
        if "sys_platform != 'win32'" not in marker:
            wanted["3.12" if ">= '3.12'" in marker else "3.11"].append(f"{name}=={version}")
    rows = [row for python, packages in wanted.items() if packages for row in _wheels(packages, python)]
    OUT.write_text(HEAD + "".join(f"{' '.join(row)}\n" for row in sorted({row[:2]: row for row in rows}.values())))


def _wheels(wanted: list[str], python: str) -> list[tuple[str, str, str]]:
    """(name, version, file) of each, as `pip install --dry-run` for win_amd64 would take it."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--ignore-installed"]
        command += ["--ignore-requires-python"]  # of the Python that runs this
        command += ["--only-binary", ":all:", "--platform", "win_amd64", "--python-version", python]
        command += ["--target", scratch, "--report", str(report), *wanted]
        subprocess.run(command, check=True)
        found = json.loads(report.read_text())["install"]
    versions = dict(each.split("==") for each in wanted)
    return [
        (name, versions[name], each["download_info"]["url"].rpartition("/")[2])
        for each in found
        for name in [re.sub(r"[-_.]+", "-", each["metadata"]["name"]).lower()]
    ]


if __name__ == "__main__":
    main()
