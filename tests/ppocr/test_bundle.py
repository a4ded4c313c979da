"""What a bundle is, and what is said of one that isn't."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import ppocr
from ppocr.bundle import Bundle
from ppocr.contract import DetFacts, Normalisation, RecFacts
from ppocr.manifest import Manifest
from ppocr_api.errors import BundleError
from ppocr_convert import writer

HALF = Normalisation("BGR", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
MANIFEST = Manifest("tiny", "3", "Apache-2.0", "made up", DetFacts(), RecFacts(()), HALF, HALF)


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
    assert facts.rec.characters == ("", "a", "\u2028", " ")
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
        ("{", "is not JSON"),
        ("[]", "no field 'format'"),
        ("{}", "no field 'format'"),
        ('{"format": 2}', "has format 2; this version reads format 1"),
        ('{"format": 1}', "lacks the field 'name'"),
        ('{"format": 1, "name": "../x"}', "the name in manifest.json is '../x'"),
    ],
)
def test_a_wrong_manifest_is_refused(bundle: Bundle, text: str, says: str) -> None:
    (bundle.path / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=says):
        Bundle.open(bundle.path)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"det": {"thresh": 0.3, "colour": 1}}, "wrong kind.*colour"),
        ({"files": {"../../secret": {"sha256": "", "bytes": 1}}}, "outside of the bundle"),
        ({"files": {"/etc/passwd": {"sha256": "", "bytes": 1}}}, "outside of the bundle"),
        ({"files": {"more.onnx": {"sha256": "", "bytes": 1}}}, "lacks the file more.onnx"),
        ({"files": []}, "wrong kind"),
        ({"rec_normalisation": {"channels": "GREY", "mean": [0], "std": [1]}}, "three means"),
    ],
)
def test_a_wrong_field_is_refused(bundle: Bundle, fields: dict[str, Any], says: str) -> None:
    edit(bundle, **fields)
    with pytest.raises(BundleError, match=says):
        Bundle.open(bundle.path)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no readable manifest") as caught:
        Bundle.open(tmp_path / "nothing")
    assert str(tmp_path) not in str(caught.value)


def test_a_missing_file_is_named(bundle: Bundle) -> None:
    (bundle.path / "rec.onnx").unlink()
    with pytest.raises(BundleError, match=r"tiny/3 lacks the file rec\.onnx"):
        Bundle.open(bundle.path)


def test_a_truncated_file_is_found_at_opening(bundle: Bundle) -> None:
    (bundle.path / "rec.onnx").write_bytes(b"re")
    with pytest.raises(BundleError, match=r"rec.onnx of the bundle tiny/3 has 2 bytes; its manifest says 3"):
        Bundle.open(bundle.path)


def test_a_changed_file_is_found_by_its_digest(bundle: Bundle) -> None:
    (bundle.path / "rec.onnx").write_bytes(b"reC")
    with pytest.raises(BundleError, match=r"rec\.onnx of the bundle tiny/3 is not the file"):
        Bundle.open(bundle.path).verify()


def test_a_bundle_without_a_blank_is_refused(tmp_path: Path) -> None:
    made = writer.write(tmp_path / "1", MANIFEST, {}, ["a", "b"])
    with pytest.raises(BundleError, match="empty line for the blank"):
        made.facts()


def test_the_built_in_bundle(tmp_path: Path) -> None:
    built_in = Path(ppocr.__file__).parent / "bundles" / "ppocrv6-small" / "1"
    bundle = Bundle.open(built_in)
    bundle.verify()
    facts = bundle.facts()
    assert len(facts.rec.characters) == 18710
    assert len(set(facts.rec.characters)) == 18710
    assert (facts.det.thresh, facts.det.box_thresh, facts.det.unclip_ratio) == (0.2, 0.45, 1.4)
    shutil.copytree(built_in, tmp_path / "copy")
    assert Bundle.open(tmp_path / "copy").manifest == bundle.manifest


def test_a_bundle_of_this_converter_is_kept(bundle: Bundle) -> None:
    assert writer.standing(bundle.path, MANIFEST) == bundle
    assert writer.standing(bundle.path.parent / "4", MANIFEST) is None


@pytest.mark.parametrize("fields", [{"converter": writer.REVISION - 1}, {"source": "made up otherwise"}])
def test_a_bundle_of_another_revision_is_replaced(bundle: Bundle, fields: dict[str, Any]) -> None:
    edit(bundle, **fields)
    assert writer.standing(bundle.path, MANIFEST) is None
    with bundle.onnx("rec").open("rb") as before:
        made = writer.write(bundle.path, MANIFEST, {"rec.onnx": b"newer"}, ["", "a"], replace=True)
        assert before.read() == b"rec"
    made.verify()
    assert made.onnx("rec").read_bytes() == b"newer" and not (made.path / "det.onnx").exists()
    assert writer.standing(made.path, MANIFEST) == made
    assert [path.name for path in made.path.parent.iterdir()] == ["3"]


def test_a_bundle_that_cant_be_replaced_stays(bundle: Bundle) -> None:
    with pytest.raises(OSError):
        writer.write(bundle.path, MANIFEST, {"det.onnx": b"", "det.onnx/x": b""}, ["", "a"], replace=True)
    bundle.verify()
    assert [path.name for path in bundle.path.parent.iterdir()] == ["3"]


def test_a_broken_bundle_is_no_reason_to_build_over_it(bundle: Bundle) -> None:
    (bundle.path / "rec.onnx").write_bytes(b"reC")
    with pytest.raises(BundleError, match=r"rec\.onnx of the bundle tiny/3 is not the file"):
        writer.standing(bundle.path, MANIFEST)


def test_a_manifest_of_another_maker_names_no_converter(bundle: Bundle) -> None:
    path = bundle.path / "manifest.json"
    raw = json.loads(path.read_text())
    assert raw.pop("converter") == writer.REVISION
    path.write_text(json.dumps(raw))
    assert Bundle.open(bundle.path).manifest.converter == 0
