"""Mutated files never crash the process: 2,000 per format, and 100,000 where PPOCR_NIGHTLY=1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COUNT = 100_000 if os.environ.get("PPOCR_NIGHTLY") == "1" else 2_000


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF", "HEIF"])
def test_mutated_files_are_read_or_refused(format: str, tmp_path: Path) -> None:
    note, complaints = tmp_path / "number", tmp_path / "stderr"
    command = [sys.executable, "-m", "tests.transformer.images.mutate", format, "0", str(COUNT), str(note)]
    # libjpeg and libpng complain to stderr at every file: that is kept out of the way, and shown on failure.
    with complaints.open("wb") as stderr:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, timeout=3600, check=False)
    said = complaints.read_text(errors="replace")[-3000:]
    assert done.returncode == 0, f"{format} mutation {note.read_text().strip()}: exit {done.returncode}\n{said}"
    read = int(done.stdout)
    assert COUNT * 0.01 < read < COUNT * 0.9, f"{read} of {COUNT} were read: the mutations are too wild or too tame"
