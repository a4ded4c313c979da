"""What a bundle is, and what is said of one that isn't."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import ppocr
from ppocr.contract import DETECTION, RECOGNITION
from ppocr_api.errors import BundleError
from ppocr_convert import network_facts, writer
from ppocr_convert.normalisations import HALF
from predictor.bundle import Bundle
from predictor.manifest import CHARACTERS, Manifest

NETWORKS = (network_facts.detection(HALF), network_facts.recognition(HALF))
MANIFEST = Manifest("tiny", "3", "Apache-2.0", "made up", NETWORKS, {"rec": CHARACTERS})


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    files = {"det.onnx": b"det", "rec.onnx": b"rec"}
    return writer.write(tmp_path / "tiny" / "3", MANIFEST, files, ["", "a", "\u2028", " "])


def edit(bundle: Bundle, **fields: Any) -> None:
    path = bundle.path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_what_was_written_is_read(bundle: Bundle) -> None:
    read = Bundle.open(bundle.path)
    read.verify()
    assert read == bundle
    facts = read.facts()
    assert (facts.name, facts.version) == ("tiny", "3")
    det, rec = facts.networks
    assert det == NETWORKS[0] and rec.labels == ("", "a", "\u2028", " ")
    assert (facts.of_task(DETECTION), facts.network("rec"), facts.network("x")) == (det, rec, None)
    assert facts.identity == f"tiny/3@{read.digest}" and facts.is_called("3") and not facts.is_called("tiny")
    assert read.onnx("rec").read_bytes() == b"rec"


def test_a_bundle_is_never_written_over(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="tiny/3 already"):
        writer.write(bundle.path, MANIFEST, {}, ["", "a"])


def test_nothing_is_left_of_a_bundle_that_cant_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        writer.write(tmp_path / "tiny" / "4", MANIFEST, {"det.onnx": b"", "det.onnx/x": b""}, [""])
    assert list((tmp_path / "tiny").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not valid JSON"),
        ("[]", "no field 'format'"),
        ("{}", "no field 'format'"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"format": 3}', "has format 3; this version reads the formats 1 and 2"),
        ('{"format": 1}', "lacks the field 'det'"),
        ('{"format": 2}', "lacks the field 'networks'"),
    ],
)
def test_a_wrong_manifest_is_refused(bundle: Bundle, text: str, says: str) -> None:
    (bundle.path / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=says):
        Bundle.open(bundle.path)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "../x"}, "the name in manifest.json is '…/x'"),
        ({"version": 3}, "the version in manifest.json is 3"),
        ({"networks": []}, "at least one"),
        ({"networks": {"det": {}}}, "wrong type"),
        ({"networks": "det"}, "wrong type"),
        ({"files": {"../../secret": {"sha256": "", "bytes": 1}}}, "outside the bundle"),
        ({"files": {"/etc/passwd": {"sha256": "", "bytes": 1}}}, "outside the bundle"),
        ({"files": {"more.onnx": {"sha256": "", "bytes": 1}}}, "lacks the file 'more.onnx'"),
        ({"files": {"more.onnx": {"sha256": 1, "bytes": 1}}}, "wrong type"),
        ({"files": {"more.onnx": {"sha256": "", "bytes": "1"}}}, "wrong type"),
        ({"files": []}, "wrong type"),
        ({"converter": 1e999}, "wrong type"),
    ],
)
def test_a_wrong_field_is_refused(bundle: Bundle, fields: dict[str, Any], says: str) -> None:
    edit(bundle, **fields)
    with pytest.raises(BundleError, match=says):
        Bundle.open(bundle.path)


@pytest.mark.parametrize(
    "fields",
    [
        {"files": {"a" * 5000: {"sha256": "", "bytes": 1}}},
        {"files": {"/opt/elsewhere/secret": {"sha256": "", "bytes": 1}}},
        {"name": "/opt/elsewhere/" + "a" * 5000},
    ],
)
def test_what_is_said_of_a_wrong_field_is_short_and_without_paths(bundle: Bundle, fields: dict[str, Any]) -> None:
    edit(bundle, **fields)
    with pytest.raises(BundleError) as refused:
        Bundle.open(bundle.path)
    assert len(refused.value.message) < 300 and "/opt" not in refused.value.message


def test_networks_have_names_of_their_own(bundle: Bundle) -> None:
    networks = json.loads((bundle.path / "manifest.json").read_text())["networks"]
    for name in ("rec", "../rec", ""):
        edit(bundle, networks=[{**networks[0], "name": name}, networks[1]])
        with pytest.raises(BundleError):
            Bundle.open(bundle.path)


def test_labels_outside_of_the_bundle_are_refused(bundle: Bundle) -> None:
    networks = json.loads((bundle.path / "manifest.json").read_text())["networks"]
    for name in ("../characters.txt", "/etc/passwd", 5):
        edit(bundle, networks=[networks[0], {**networks[1], "labels_file": name}])
        with pytest.raises(BundleError):
            Bundle.open(bundle.path)


def test_the_order_of_networks_is_kept(tmp_path: Path) -> None:
    """It is the order in which a page meets them, which the predictor's scheduler goes by."""
    for order in (NETWORKS, NETWORKS[::-1]):
        made = writer.write(tmp_path / order[0].name, dataclasses.replace(MANIFEST, networks=order), {}, ["", "a"])
        assert [network.name for network in made.facts().networks] == [network.name for network in order]


def test_the_digest_is_that_of_the_content(bundle: Bundle) -> None:
    manifest = bundle.manifest
    renamed = dataclasses.replace(manifest, name="x", version="9", licence="MIT", source="elsewhere")
    assert renamed.digest == manifest.digest
    for networks in (NETWORKS[:1], NETWORKS[::-1], (network_facts.detection(HALF, thresh=0.2), NETWORKS[1])):
        assert dataclasses.replace(manifest, networks=networks).digest != manifest.digest


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no readable manifest") as caught:
        Bundle.open(tmp_path / "nothing")
    assert str(tmp_path) not in str(caught.value)


def test_a_missing_file_is_named(bundle: Bundle) -> None:
    (bundle.path / "rec.onnx").unlink()
    with pytest.raises(BundleError, match=r"tiny/3 lacks the file 'rec\.onnx'"):
        Bundle.open(bundle.path)


def test_a_truncated_file_is_found_at_opening(bundle: Bundle) -> None:
    (bundle.path / "rec.onnx").write_bytes(b"re")
    with pytest.raises(BundleError, match=r"rec.onnx of the bundle tiny/3 has 2 bytes; its manifest says 3"):
        Bundle.open(bundle.path)


def test_a_bundle_that_takes_minutes_to_read_is_refused(bundle: Bundle) -> None:
    with (bundle.path / "det.onnx").open("wb") as file:
        file.truncate(1 << 40)  # it takes no room on the disk
    files = json.loads((bundle.path / "manifest.json").read_text())["files"]
    edit(bundle, files={**files, "det.onnx": {"sha256": "0" * 64, "bytes": 1 << 40}})
    with pytest.raises(BundleError, match="more than 8 GiB"):
        Bundle.open(bundle.path)


def test_a_changed_file_is_found_by_its_digest(bundle: Bundle) -> None:
    (bundle.path / "rec.onnx").write_bytes(b"reC")
    with pytest.raises(BundleError, match=r"rec\.onnx of the bundle tiny/3 doesn't match its manifest"):
        Bundle.open(bundle.path).verify()


def test_a_bundle_without_a_blank_is_refused(tmp_path: Path) -> None:
    made = writer.write(tmp_path / "1", MANIFEST, {}, ["a", "b"])
    with pytest.raises(BundleError, match="empty line for the blank"):
        made.facts()


def test_a_character_of_megabytes_is_refused(tmp_path: Path) -> None:
    written = writer.write(tmp_path / "3", MANIFEST, {"det.onnx": b"", "rec.onnx": b""}, ["", "a" * 1_000_000])
    with pytest.raises(BundleError, match="at most 64 characters"):
        written.facts()


def test_the_built_in_bundle(tmp_path: Path) -> None:
    built_in = Path(ppocr.__file__).parent / "bundles" / "ppocrv6-small" / "1"
    bundle = Bundle.open(built_in)
    bundle.verify()
    facts = bundle.facts()
    assert [network.name for network in facts.networks] == ["page_orientation", "det", "line_orientation", "rec"]
    det, rec = facts.of_task(DETECTION), facts.of_task(RECOGNITION)
    assert det is not None and rec is not None
    assert len(rec.labels) == len(set(rec.labels)) == 18710
    assert {"thresh": 0.2, "box_thresh": 0.45, "unclip_ratio": 1.4}.items() <= det.parameters.items()
    shutil.copytree(built_in, tmp_path / "copy")
    assert Bundle.open(tmp_path / "copy").manifest == bundle.manifest


def test_a_bundle_of_this_converter_is_taken_as_it_is(bundle: Bundle) -> None:
    assert writer.existing(bundle.path, MANIFEST) == bundle
    assert writer.existing(bundle.path.parent / "4", MANIFEST) is None


@pytest.mark.parametrize("fields", [{"converter": writer.REVISION - 1}, {"source": "made up otherwise"}])
def test_a_bundle_of_another_revision_is_replaced(bundle: Bundle, fields: dict[str, Any]) -> None:
    edit(bundle, **fields)
    assert writer.existing(bundle.path, MANIFEST) is None
    with bundle.onnx("rec").open("rb") as before:
        made = writer.write(bundle.path, MANIFEST, {"rec.onnx": b"newer"}, ["", "a"], replace=True)
        assert before.read() == b"rec"
    made.verify()
    assert made.onnx("rec").read_bytes() == b"newer" and not (made.path / "det.onnx").exists()
    assert writer.existing(made.path, MANIFEST) == made
    assert [path.name for path in made.path.parent.iterdir()] == ["3"]


def test_a_bundle_that_cant_be_replaced_stays(bundle: Bundle) -> None:
    with pytest.raises(OSError):
        writer.write(bundle.path, MANIFEST, {"det.onnx": b"", "det.onnx/x": b""}, ["", "a"], replace=True)
    bundle.verify()
    assert [path.name for path in bundle.path.parent.iterdir()] == ["3"]


def test_a_broken_bundle_is_no_reason_to_build_over_it(bundle: Bundle) -> None:
    (bundle.path / "rec.onnx").write_bytes(b"reC")
    with pytest.raises(BundleError, match=r"rec\.onnx of the bundle tiny/3 doesn't match its manifest"):
        writer.existing(bundle.path, MANIFEST)


def test_a_manifest_of_another_maker_names_no_converter(bundle: Bundle) -> None:
    path = bundle.path / "manifest.json"
    raw = json.loads(path.read_text())
    assert raw.pop("converter") == writer.REVISION
    path.write_text(json.dumps(raw))
    assert Bundle.open(bundle.path).manifest.converter == 0
