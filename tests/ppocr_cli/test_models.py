"""`ppocr models list|show|verify|add|remove`: what lies in a repository, and changes that nobody sees half of."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from ppocr_cli import main
from ppocr_cli.models import BUILT_IN
from ppocr_convert import network_facts, writer
from ppocr_convert.normalisations import HALF
from predictor.bundle import Bundle
from predictor.manifest import CHARACTERS, MANIFEST, Manifest
from predictor.repository import folders

NETWORKS = (network_facts.detection(HALF), network_facts.recognition(HALF))


def write(folder: Path, name: str = "tiny", version: str = "1", rec: bytes = b"rec" * 1000) -> Bundle:
    manifest = Manifest(name, version, "MIT", "made up", NETWORKS, {"rec": CHARACTERS})
    return writer.write(folder, manifest, {"det.onnx": b"det" * 1000, "rec.onnx": rec}, ["", "a", " "])


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A bundle that lies in no repository."""
    return write(tmp_path / "elsewhere")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with tiny/1, tiny/2 and other/7."""
    folder = tmp_path / "repository"
    for name, version in (("tiny", "1"), ("tiny", "2"), ("other", "7")):
        write(folder / name / version, name, version)
    return folder


def run(*argv: object) -> int:
    return main(["models", *map(str, argv)])


def answer(capsys: pytest.CaptureFixture[str], *argv: object) -> Any:
    assert run(*argv, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_list_shows_the_versions_on_disk(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "tiny" / "2" / "rec.onnx").unlink()
    assert run("list", "--model_dir", root) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["BUNDLE", "SIZE", "MEMORY", "NETWORKS", "FORMATS", "LICENCE", "PROBLEM"]
    assert [line.split()[0] for line in lines[1:]] == ["other/7", "tiny/1", "tiny/2"]
    assert "onnx" in lines[1] and "MIT" in lines[1] and "lacks the file 'rec.onnx'" in lines[3]
    rows = answer(capsys, "list", "--model_dir", root)
    assert [(row["name"], row["version"], bool(row["problem"])) for row in rows] == [
        ("other", "7", False),
        ("tiny", "1", False),
        ("tiny", "2", True),
    ]
    assert rows[0]["bytes"] == sum(file.stat().st_size for file in (root / "other" / "7").iterdir())
    assert [row["memory_bytes"] for row in rows] == [8 * (3000 + 3000), 8 * (3000 + 3000), 0]


def test_list_of_an_empty_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--model_dir", tmp_path) == 0
    assert capsys.readouterr().out == "no bundles\n"
    assert answer(capsys, "list", "--model_dir", tmp_path) == []
    assert run("list", "--model_dir", tmp_path / "nowhere") == 1
    assert "there is no folder" in capsys.readouterr().err


def test_the_built_in_bundle_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify") == 0
    assert capsys.readouterr().out == "ppocrv6-small/1: as its manifest says\n"
    facts = answer(capsys, "show")
    assert (facts["name"], facts["version"], facts["licence"]) == ("ppocrv6-small", "1", "Apache-2.0")
    assert {network["name"]: network["classes"] for network in facts["networks"]} == {
        **{"page_orientation": 4, "det": 0, "line_orientation": 2, "rec": 18710}
    }
    assert run("show", "ppocrv6-small/1") == 0
    text = capsys.readouterr().out
    for record in facts["files"].values():
        assert record["sha256"] in text
    assert "box_thresh 0.45" in text and str(BUILT_IN) in text


def test_the_repository_comes_from_the_environment(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PPOCR_MODEL_DIR", str(root))
    assert len(answer(capsys, "list")) == 3


def test_show_takes_the_highest_version(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "show", "tiny", "--model_dir", root)["version"] == "2"
    assert answer(capsys, "show", "tiny/1", "--model_dir", root)["version"] == "1"
    assert run("show", "--model_dir", root) == 1
    assert "the repository has other, tiny" in capsys.readouterr().err
    assert run("show", "tiny/9", "--model_dir", root) == 1
    assert "the bundle tiny has no version '9'; it has 1, 2" in capsys.readouterr().err


def test_verify_reads_every_byte(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "tiny" / "1" / "rec.onnx").write_bytes(b"reC" * 1000)
    assert run("verify", "--model_dir", root) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "other/7: as its manifest says" and lines[2] == "tiny/2: as its manifest says"
    assert lines[1].startswith("tiny/1: rec.onnx of the bundle tiny/1 doesn't match its manifest")
    assert run("verify", "other", "tiny/2", "--model_dir", root) == 0
    assert run("verify", "tiny/1", "--json", "--model_dir", root) == 1


def test_add_takes_the_next_version(root: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    added = answer(capsys, "add", bundle.path, "--model_dir", root)
    assert (added["name"], added["version"]) == ("tiny", "3")
    made = Bundle.open(root / "tiny" / "3")
    made.verify()
    assert (made.manifest.version, made.digest) == ("3", bundle.digest)
    assert run("add", bundle.path, "--name", "mine", "--version", "spring", "--model_dir", root) == 0
    assert Bundle.open(root / "mine" / "spring").manifest.name == "mine"
    assert sorted(path.name for path in (root / "tiny").iterdir()) == ["1", "2", "3"]


def test_add_makes_the_repository(tmp_path: Path, bundle: Bundle) -> None:
    assert run("add", bundle.path, "--model_dir", tmp_path / "new") == 0
    assert [entry.label for entry in folders.scan(tmp_path / "new")] == ["tiny/1"]


@pytest.mark.parametrize(
    ("change", "flags", "says"),
    [
        (
            lambda path: (path / "rec.onnx").write_bytes(b"reC" * 1000),
            (),
            "doesn't match its manifest",
        ),
        (lambda path: (path / "rec.onnx").unlink(), (), "lacks the file 'rec.onnx'"),
        (lambda path: (path / MANIFEST).unlink(), (), "has no readable manifest.json"),
        (lambda path: None, ("--version", "2"), "there is a bundle tiny/2 already"),
        (lambda path: None, ("--name", "../up"), "the name in manifest.json is '…/up'"),
        (lambda path: None, ("--version", "a/b"), "the version in manifest.json is 'a/b'"),
    ],
)
def test_add_of_what_is_wrong_changes_nothing(
    root: Path, bundle: Bundle, change: Any, flags: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(bundle.path)
    before = sorted(root.rglob("*"))
    assert run("add", bundle.path, *flags, "--model_dir", root) == 1
    assert says in capsys.readouterr().err
    assert sorted(root.rglob("*")) == before


def test_half_a_version_is_never_visible(root: Path, tmp_path: Path) -> None:
    """A watcher that looks all the time while versions come finds each of them whole or not at all."""
    source = write(tmp_path / "large", rec=b"r" * 20_000_000)
    half: list[str] = []
    looks = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal looks
        while not done.is_set():
            half.extend(f"{entry.label}: {entry.problem}" for entry in folders.scan(root) if entry.problem)
            looks += 1

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(5):
            assert run("add", source.path, "--model_dir", root) == 0
    finally:
        done.set()
        watcher.join()
    assert half == []
    assert looks > 20
    assert [entry.version for entry in folders.versions(root, "tiny")] == ["1", "2", "3", "4", "5", "6", "7"]


def test_remove_frees_a_version(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    freed = answer(capsys, "remove", "tiny/1", "--model_dir", root)
    assert freed["bytes"] > 6000
    assert [entry.label for entry in folders.scan(root)] == ["other/7", "tiny/2"]
    assert [path.name for path in (root / "tiny").iterdir()] == ["2"]


def test_remove_keeps_the_only_version(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("remove", "other/7", "--model_dir", root) == 1
    assert "other/7 is the only version of other that can be served" in capsys.readouterr().err
    (root / "tiny" / "2" / "rec.onnx").unlink()
    assert run("remove", "tiny/1", "--model_dir", root) == 1, "the other version is broken"
    assert run("remove", "tiny/2", "--model_dir", root) == 0, "a broken version goes"
    assert run("remove", "other/7", "--force", "--model_dir", root) == 0
    assert not (root / "other").exists()


@pytest.mark.parametrize("argv", [("remove", "ppocrv6-small/1"), ("add", BUILT_IN / "ppocrv6-small" / "1")])
def test_the_built_in_bundles_are_not_changed(argv: tuple[object, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*argv) == 1
    assert "--model_dir must name a repository" in capsys.readouterr().err


def test_remove_wants_a_version(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("remove", "tiny", "--model_dir", root) == 1
    assert "'tiny' must be NAME/VERSION" in capsys.readouterr().err


def test_a_bundle_that_is_a_repository_itself(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["name"] for row in answer(capsys, "list", "--model_dir", bundle.path)] == ["tiny"]
    assert run("remove", "tiny/1", "--force", "--model_dir", bundle.path) == 1
    assert "is the bundle itself, not a repository" in capsys.readouterr().err


def test_a_repository_that_cant_be_written(root: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(root / "tiny")
    (root / "tiny").write_text("a file where a folder should be")
    assert run("add", bundle.path, "--version", "1", "--model_dir", root) == 1
    assert "the bundle can't be copied" in capsys.readouterr().err
