"""What the images are built from: the context holds what the Containerfile copies, and an image holds every room it imports."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

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


#: Image → the room that its command is in, and the images that are in it.
IMAGES = {
    "transformer": ("transformer", ()),
    "predictor": ("predictor", ()),
    "predictor-gpu": ("predictor", ()),
    "ppocr": ("ppocr_local", ("predictor", "transformer")),
    "ppocr-gpu": ("ppocr_local", ("predictor-gpu", "transformer")),
}


def stage(name: str) -> str:
    """The lines of a stage."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM|\Z)", "\n".join(LINES), re.S | re.M)
    assert found is not None, name
    return found.group(1)


@pytest.mark.parametrize("image", IMAGES)
def test_each_image_holds_the_rooms_it_imports(image: str) -> None:
    rooms = [*tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]]
    command, within = IMAGES[image]
    text = "".join(stage(each) for each in (image, *within))
    needed = {command, *(IMAGES[each][0] for each in within)}
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
    assert [room for room in sorted(needed) if f"/package/{room} " not in text] == []


@pytest.mark.parametrize("predictor", ["predictor", "predictor-gpu"])
def test_what_is_laid_over_each_other_is_of_one_version(predictor: str) -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)\S*==(\S+)", (ROOT / f"requirements/{name}.txt").read_text(), re.M))

    transformer, other = pins("transformer"), pins(predictor)
    both = transformer.keys() & other.keys()
    assert len(both) > 30
    assert {name for name in both if transformer[name] != other[name]} == set()
