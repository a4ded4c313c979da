"""Bundles and facts of the format before networks were listed by name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ppocr.contract import DETECTION, RECOGNITION, Axis, BundleFacts
from ppocr.facts_json import facts_from_json, facts_to_json
from ppocr_api.errors import BundleError
from ppocr_convert import network_facts
from ppocr_convert.normalisations import HALF
from predictor.bundle import Bundle
from predictor.manifest import Manifest

#: The manifest of the built-in bundle of the last release that wrote this format, byte for byte.
TEXT = """{
  "format": 1,
  "name": "ppocrv6-small",
  "version": "1",
  "licence": "Apache-2.0",
  "source": "PP-OCRv6 small of PaddleOCR (PaddlePaddle authors), as ONNX in the wheel of rapidocr 3.10.0",
  "det": {
    "stride": 32,
    "limit_side_len": 960,
    "limit_type": "max",
    "max_side_len": 4000,
    "thresh": 0.2,
    "box_thresh": 0.45,
    "unclip_ratio": 1.4,
    "max_candidates": 3000
  },
  "rec": {
    "height": 48,
    "width_step": 32,
    "min_width": 32,
    "max_width": 3200,
    "stride": 8
  },
  "det_normalisation": {
    "channels": "BGR",
    "mean": [
      0.5,
      0.5,
      0.5
    ],
    "std": [
      0.5,
      0.5,
      0.5
    ]
  },
  "rec_normalisation": {
    "channels": "BGR",
    "mean": [
      0.5,
      0.5,
      0.5
    ],
    "std": [
      0.5,
      0.5,
      0.5
    ]
  },
  "files": {
    "characters.txt": {
      "sha256": "1448810a207a603819b5fbfd3ec1c297e854bf877a63bea8c0b2ca8c94cdfa13",
      "bytes": 74950
    },
    "det.onnx": {
      "sha256": "ad09b0897fd3bd5161440064524a9a770f5ad2507d3fbd0c86f8c628640dac09",
      "bytes": 9857027
    },
    "rec.onnx": {
      "sha256": "3863a495cc6561bbdb35974e738eed79c77aac92ab61df0eecafe00c621f7dfd",
      "bytes": 21161078
    }
  },
  "converter": 2
}
"""
#: What that release called it.
IDENTITY = "ppocrv6-small/1@747261378d2e"


def small(folder: Path, **fields: Any) -> Bundle:
    """A bundle of the former format with files of a few bytes, `fields` of its manifest replaced."""
    contents = {"det.onnx": b"det", "rec.onnx": b"rec", "characters.txt": "\na\n\u2028\n \n".encode()}
    folder.mkdir(parents=True)
    files = {}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    raw = {**json.loads(TEXT), "files": files, **fields}
    (folder / "manifest.json").write_text(json.dumps(raw, ensure_ascii=False, indent=2))
    return Bundle.open(folder)


def test_the_last_built_in_bundle_has_the_identity_that_it_had() -> None:
    """Answers that both releases' pods give during a rolling update carry it."""
    manifest = Manifest.from_json(TEXT)
    assert f"{manifest.name}/{manifest.version}@{manifest.digest}" == IDENTITY


def test_a_bundle_is_read(tmp_path: Path) -> None:
    bundle = small(tmp_path / "1")
    bundle.verify()
    det, rec = bundle.facts().networks
    assert (det.name, det.task, det.input, rec.name, rec.task) == ("det", DETECTION, "image", "rec", RECOGNITION)
    assert (det.normalisation, rec.normalisation) == (HALF, HALF)
    assert det.grid.height == det.grid.width == Axis(32, 4000, 32, 960)
    assert (rec.grid.height, rec.grid.width) == (Axis(48, 48, 1, 48), Axis(32, 3200, 32, 320))
    assert det.parameters == {
        **{"limit_side_len": 960, "limit_type": "max", "max_candidates": 3000},
        **{"thresh": 0.2, "box_thresh": 0.45, "unclip_ratio": 1.4},
    }
    assert rec.parameters == {"stride": 8}
    assert rec.labels == ("", "a", "\u2028", " ")


def test_it_is_what_todays_converter_says_of_the_same_networks(tmp_path: Path) -> None:
    det, rec = Bundle.open(small(tmp_path / "1").path).manifest.networks
    assert rec == network_facts.recognition(HALF)
    assert det == network_facts.detection(HALF, thresh=0.2, box_thresh=0.45, unclip_ratio=1.4, max_candidates=3000)


def test_defaults_and_order_dont_change_the_digest(tmp_path: Path) -> None:
    """A manifest that something else wrote may leave out what has a default; the last release filled it in."""
    raw = json.loads(TEXT)
    whole = small(tmp_path / "whole", det={**raw["det"], "max_candidates": 1000}, converter=0)
    lacking = {name: value for name, value in sorted(raw["det"].items()) if value not in (32, "max", 3000)}
    mean = {"std": [0.5, 0.5, 0.5], "mean": [0.5, 0.5, 0.5], "channels": "BGR"}
    brief = small(tmp_path / "brief", det=lacking, rec={}, rec_normalisation=mean, converter=0, colour="red")
    assert brief.digest == whole.digest
    assert brief.manifest.networks == whole.manifest.networks
    renamed = small(tmp_path / "renamed", name="x", version="2", licence="MIT", source="", det=lacking, converter=0)
    assert renamed.digest == whole.digest != small(tmp_path / "other").digest


@pytest.mark.parametrize(("limit", "usual"), [(736, 736), (1000, 992), (16, 32), (9000, 4000)])
def test_the_usual_side_lies_on_the_grid(tmp_path: Path, limit: int, usual: int) -> None:
    bundle = small(tmp_path / "1", det={**json.loads(TEXT)["det"], "limit_side_len": limit})
    assert bundle.manifest.networks[0].grid.height.usual == usual


@pytest.mark.parametrize(
    "fields",
    [
        {"det": None},
        {"det": 5},
        {"det": {"stride": "32"}},
        {"det": {"stride": 0}},
        {"det": {"max_side_len": -1}},
        {"det": {"limit_side_len": None}},
        {"rec": []},
        {"rec": {"height": 48.5}},
        {"rec": {"min_width": 4000}},
        {"rec": {"stride": [8]}},
        {"rec_normalisation": {"channels": "GREY", "mean": [0], "std": [1]}},
        {"det_normalisation": {"channels": "BGR", "mean": [0, 0, 0], "std": [1, 0, 1]}},
        {"files": []},
        {"converter": "x"},
    ],
)
def test_a_wrong_field_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(BundleError):
        small(tmp_path / "1", **fields)


def former_facts(facts: BundleFacts) -> dict[str, Any]:
    """What the last release's predictor says."""
    raw = json.loads(facts_to_json(facts))
    return {
        name: raw[name]
        for name in ("name", "version", "digest", "det", "rec", "det_normalisation", "rec_normalisation")
    }


def test_facts_of_an_older_predictor_are_read(tmp_path: Path) -> None:
    facts = small(tmp_path / "1").facts()
    assert facts_from_json(json.dumps(former_facts(facts))) == facts


def test_facts_say_what_an_older_transformer_reads(tmp_path: Path) -> None:
    facts = small(tmp_path / "1").facts()
    raw = former_facts(facts)
    assert raw["det"] == json.loads(TEXT)["det"]
    assert raw["rec"] == {**json.loads(TEXT)["rec"], "characters": ["", "a", "\u2028", " "]}
    assert raw["det_normalisation"] == {"channels": "BGR", "mean": [0.5] * 3, "std": [0.5] * 3}
    assert f"{raw['name']}/{raw['version']}@{raw['digest']}" == facts.identity
