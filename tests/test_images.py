"""What the images are built from: the context holds what the Containerfile copies, and an image holds every room it imports."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "Containerfile").read_text().replace("\\\n", " ").splitlines()


def ignored(path: str) -> bool:
    """Whether .containerignore keeps `path` out of the context: as docker and podman read it, the last rule that fits decides."""
    out = False
    for line in (ROOT / ".containerignore").read_text().split("\n"):
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        kept, pattern = rule.startswith("!"), rule.lstrip("!").strip("/")
        if fnmatch(path, pattern) or path.startswith(f"{pattern}/"):
            out = not kept
    return out


def copied_from_the_context() -> list[str]:
    return [
        source
        for line in LINES
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
        if not source.startswith("--")
    ]


def test_the_context_holds_what_is_copied() -> None:
    sources = copied_from_the_context()
    assert "ppocr" in sources, "this test doesn't find the COPY lines"
    assert [source for source in sources if ignored(source) or not (ROOT / source).exists()] == []
    assert ignored("tests/test_images.py") and ignored("ppocr/bundles/x"), "this test can't tell what is kept out"


def test_each_image_holds_the_rooms_it_imports() -> None:
    rooms = [*tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]]
    stages = dict(re.findall(r"^FROM \S+ AS (transformer|predictor)\n(.*?)(?=^FROM|\Z)", "\n".join(LINES), re.S | re.M))
    assert set(stages) == {"transformer", "predictor"}
    for stage, text in stages.items():
        needed: set[str] = {stage}
        seen: set[str] = set()
        while needed - seen:
            room = (needed - seen).pop()
            seen.add(room)
            folder = ROOT / room if (ROOT / room).is_dir() else ROOT / "clients/python" / room
            for file in folder.rglob("*.py"):
                if file == ROOT / "ppocr/__main__.py":
                    continue  # the command line, which the images lack
                found = re.findall(r"^(?:from|import) (\w+)", file.read_text(), re.M)
                needed |= {name for name in found if name in rooms}
        assert [room for room in sorted(needed) if f"/package/{room} " not in text] == [], stage
