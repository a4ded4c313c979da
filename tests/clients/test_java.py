"""The client in Java: its unit tests, and its example program against the real service."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import ppocr
from tests import needs
from tests.clients.read_program import ReadProgram

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "clients" / "java"
PROTOS = ("clients/python/ppocr_api/open_inference.proto", "transformer/routes/pdserving_messages.proto")


@pytest.fixture(scope="module")
def program() -> list[str]:
    """Built of just these sources, and its unit tests have passed: the folder's name is their digest."""
    java, maven = needs.program("java"), needs.program("mvn")
    digest = hashlib.sha256()
    for path in (FOLDER / "pom.xml", *sorted(FOLDER.glob("src/**/*.java")), *(ROOT / name for name in PROTOS)):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    built = needs.CACHE.resolve() / "clients" / f"java-{digest.hexdigest()[:16]}"
    with needs.one_at_a_time("java-client"):
        if not built.exists():
            _build(maven, built)
    return [java, "-jar", str(built / f"ppocr-client-{ppocr.__version__}-all.jar")]


def _build(maven: str, built: Path) -> None:
    part = built.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    command = [maven, "--quiet", "--batch-mode", "--file", FOLDER / "pom.xml", f"-Dbuild.folder={part}", "package"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    if re.search("Could not (resolve|transfer)|could not be resolved", done.stdout):
        needs.missing("packages of Maven", done.stdout[-2000:])
    assert done.returncode == 0, done.stdout[-6000:]
    reports = [path.read_text() for path in part.glob("surefire-reports/*.txt")]
    assert sum(int(count) for report in reports for count in re.findall(r"Tests run: (\d+)", report)) > 20
    for older in built.parent.glob("java-*"):
        if older != part:
            shutil.rmtree(older)
    part.rename(built)


class TestRead(ReadProgram):
    """`java -jar ppocr-client-VERSION-all.jar`."""
