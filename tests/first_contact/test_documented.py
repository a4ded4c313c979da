"""The ten ways of docs/api.md and the programs of docs/programs.md work as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.services import Service

DOCS = Path(__file__).parents[2] / "docs"
#: Rows of the table that are commands: the others are a browser and a link.
WAYS = range(1, 9)
#: Language of a code block → the file to put it into, and the command.
RUNS = {
    "python": ("read.py", [sys.executable, "read.py"]),
    "javascript": ("read.js", ["node", "read.js"]),
    "go": ("read.go", ["go", "run", "read.go"]),
    "java": ("Read.java", ["java", "Read.java"]),
    "php": ("read.php", ["php", "read.php"]),
}
#: test_browser.py runs the page among them.
PROGRAMS = [
    program
    for program in re.findall(
        r"^## (.+?)\n.*?^```(\w+)\n(.*?)^```$", (DOCS / "programs.md").read_text(), re.MULTILINE | re.DOTALL
    )
    if program[1] != "html"
]


def ways() -> dict[int, str]:
    rows = re.findall(r"^\| (\d{1,2}) .+? \| (.*) \|$", (DOCS / "api.md").read_text(), re.MULTILINE)
    return {int(number): text.replace("\\|", "|") for number, text in rows}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_send_an_image(service: Service, lines: list[str], folder: Path, way: int) -> None:
    needs.program("curl")
    assert len(ways()) == 10
    command = ways()[way].strip("`").replace("ppocr read", f"{sys.executable} -m ppocr read")
    run = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "URL": service.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    if way == 8:
        assert run.stdout.splitlines() == lines
        return
    answer = json.loads(run.stdout)
    if "outputs" in answer:
        texts = [next(each["data"] for each in answer["outputs"] if each["name"] == "text")]
    else:
        texts = [[line["text"] for line in page["lines"]] for page in answer["predictions"]]
    assert texts == [lines] * (2 if way == 2 else 1)


@pytest.mark.parametrize(("title", "language", "code"), PROGRAMS, ids=[title for title, _, _ in PROGRAMS])
def test_a_program(service: Service, lines: list[str], folder: Path, title: str, language: str, code: str) -> None:
    name, command = RUNS[language]
    if command[0] != sys.executable:
        command = [needs.program(command[0]), *command[1:]]
    assert code.count("127.0.0.1:808") == 1
    (folder / name).write_text(
        code.replace("127.0.0.1:8080", service.url.removeprefix("http://")).replace("127.0.0.1:8081", service.grpc)
    )
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    if language == "java":
        (page,) = json.loads(run.stdout)["predictions"]
        assert [line["text"] for line in page["lines"]] == lines
    else:
        printed = run.stdout.splitlines()
        assert printed == lines * (len(printed) // len(lines))
        assert printed
