"""What lies in a repository: names, versions in their order, and what is wrong with them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ppocr_api.errors import BundleError
from ppocr_convert import network_facts
from ppocr_convert.normalisations import HALF
from predictor.bundle import MAX_TEXT
from predictor.manifest import CHARACTERS, MANIFEST, Manifest, file_record
from predictor.repository import folders

NETWORKS = (network_facts.detection(HALF), network_facts.recognition(HALF))


def put(folder: Path, characters: bytes = b"\na\n") -> Path:
    """A bundle whose manifest calls it made/7, wherever it lies."""
    folder.mkdir(parents=True)
    (folder / CHARACTERS).write_bytes(characters)
    files = {CHARACTERS: file_record(characters)}
    manifest = Manifest("made", "7", "Apache-2.0", "a test", NETWORKS, {"rec": CHARACTERS}, files)
    (folder / MANIFEST).write_text(manifest.to_json())
    return folder


def test_names_by_alphabet_and_versions_by_number(tmp_path: Path) -> None:
    for place in ("small/9", "small/10", "small/beta", "large/1", ".staging/small-11", "small/.12"):
        put(tmp_path / place)
    found = [(entry.label, entry.problem) for entry in folders.scan(tmp_path)]
    assert found == [("large/1", ""), ("small/beta", ""), ("small/9", ""), ("small/10", "")]


def test_the_folders_name_a_version_and_the_digest_tells_contents_apart(tmp_path: Path) -> None:
    same, copy, other = (put(tmp_path / "x" / "1"), put(tmp_path / "x" / "2"), put(tmp_path / "x" / "3", b"\nb\n"))
    facts = [folders.find(tmp_path, "x", each.name).open().facts() for each in (same, copy, other)]
    assert [each.label for each in facts] == ["x/1", "x/2", "x/3"]
    assert facts[0].digest == facts[1].digest != facts[2].digest
    assert len({each.identity for each in facts}) == 3


def test_problems_are_said_and_nothing_else_suffers(tmp_path: Path) -> None:
    put(tmp_path / "x" / "1")
    (put(tmp_path / "x" / "2") / CHARACTERS).unlink()
    (put(tmp_path / "x" / "3") / MANIFEST).write_text("[]")
    (put(tmp_path / "x" / "4") / MANIFEST).unlink()
    problems = {entry.version: entry.problem for entry in folders.versions(tmp_path, "x")}
    assert problems["1"] == ""
    assert "lacks the file 'characters.txt'" in problems["2"]
    assert "is this a bundle?" in problems["3"]
    assert "written last" in problems["4"]
    assert folders.find(tmp_path).version == "3", "a version without a manifest isn't there yet"


@pytest.mark.parametrize(
    "manifest",
    [
        "[" * 200_000,
        '{"format": 2, "networks": ' + "[" * 5_000 + "]" * 5_000 + "}",
        '{"format": 2, "networks": Infinity}',
        '{"format": 1, "det": null, "rec": []}',
        '{"format": 2, "converter": ' + "9" * 5_000 + "}",
        '{"format": 2, "name": "x", "version": "1", "files": [1]}',
        '{"format": 2, "networks": [null], "files": {"a": null}}',
        '{"format": [2]}',
        "\0",
    ],
)
def test_a_manifest_that_is_poison_is_that_version_s_problem(tmp_path: Path, manifest: str) -> None:
    put(tmp_path / "x" / "1")
    (put(tmp_path / "x" / "2") / MANIFEST).write_text(manifest)
    good, poison = folders.versions(tmp_path, "x")
    assert (good.problem == "" and MANIFEST in poison.problem) or "format" in poison.problem
    assert not any(word in poison.problem for word in ("Error", "object has", "NoneType", "'list'"))
    (alone,) = folders.scan(poison.path)
    assert alone.problem


def test_manifests_that_are_no_files_of_a_bundle(tmp_path: Path) -> None:
    put(tmp_path / "x" / "1")
    fifo, huge = put(tmp_path / "x" / "2"), put(tmp_path / "x" / "3")
    (fifo / MANIFEST).unlink()
    os.mkfifo(fifo / MANIFEST)
    with (huge / MANIFEST).open("r+b") as file:
        file.truncate(MAX_TEXT + 1)
    assert [bool(entry.problem) for entry in folders.versions(tmp_path, "x")] == [False, True, True]


def test_folders_whose_names_no_answer_could_hold_are_left_out(tmp_path: Path) -> None:
    for name in ("1", "2\n", "3\x1b[0m", os.fsdecode(b"4\xff")):
        put(tmp_path / "x" / name)
    assert [entry.version for entry in folders.scan(tmp_path)] == ["1"]


def test_names_of_files_that_none_can_have(tmp_path: Path) -> None:
    for number, name in enumerate(("a\0b", "a" * 5000, "\ud800", "..", "/etc/passwd", "a/../../x", "..\\x", ".")):
        folder = put(tmp_path / "x" / str(number))
        raw = json.loads((folder / MANIFEST).read_text())
        raw["files"][name] = {"sha256": "0" * 64, "bytes": 1}
        (folder / MANIFEST).write_text(json.dumps(raw))
    assert all(entry.problem for entry in folders.scan(tmp_path))


def test_a_bundle_s_own_folder_is_a_repository_of_one_under_its_own_name(tmp_path: Path) -> None:
    (entry,) = folders.scan(put(tmp_path / "anything"))
    assert entry.label == "made/7"
    assert folders.find(tmp_path / "anything").open().label == "made/7"


def test_the_stamp_changes_with_the_files(tmp_path: Path) -> None:
    folder = put(tmp_path / "x" / "1")
    entry = folders.find(tmp_path)
    before = entry.stamp()
    assert entry.stamp() == before
    (folder / CHARACTERS).write_bytes(b"\nab\n")
    assert entry.stamp() != before


@pytest.mark.parametrize(("name", "version"), [("y", ""), ("x", "2")])
def test_what_is_not_there_is_said_with_what_is(tmp_path: Path, name: str, version: str) -> None:
    put(tmp_path / "x" / "1")
    with pytest.raises(BundleError, match=r"it has (x|1)"):
        folders.find(tmp_path, name, version)
