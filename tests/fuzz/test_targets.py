"""Code that parses untrusted bytes raises only errors for callers, on the kept corpus and on what the fuzzer finds from there.

Five seconds of each target by day, all at once; with PPOCR_NIGHTLY=1 ten minutes of each, or PPOCR_FUZZ_SECONDS. An input that
broke something stays in corpus/, under a name that says what it was.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
NIGHTLY = os.environ.get("PPOCR_NIGHTLY") == "1"
SECONDS = int(os.environ.get("PPOCR_FUZZ_SECONDS", "600")) if NIGHTLY else 5
#: Runs that begin together: the day's share the processors, the night's have one each.
TOGETHER = [(name,) for name in TARGETS] if NIGHTLY else [tuple(TARGETS)]


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_and_the_kept_corpus(name: str) -> None:
    target = TARGETS[name]
    kept = sorted((CORPUS / name).iterdir())
    assert kept
    for data in [*target.seeds(), *(path.read_bytes() for path in kept), b""]:
        target.one(data)


@pytest.mark.parametrize("names", TOGETHER, ids="+".join)
def test_what_the_fuzzer_makes_of_them(names: tuple[str, ...], tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        needs.missing("atheris")
    runs = {}
    for name in names:
        log = (tmp_path / f"{name}.log").open("wb")
        options = [f"-max_total_time={SECONDS}", *([] if NIGHTLY else ["-seed=1"])]
        command = [sys.executable, "-m", "tests.fuzz.guided", name, str(tmp_path / name), *options]
        runs[name] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        log.close()
    try:
        ended = {name: run.wait(SECONDS + 120) for name, run in runs.items()}
    finally:
        for run in runs.values():
            run.kill()
    for name, code in ended.items():
        found = [path.read_bytes() for path in (tmp_path / name).glob("found-*")]
        assert code == 0, f"{name}: {found}\n{(tmp_path / f'{name}.log').read_text(errors='replace')[-4000:]}"
