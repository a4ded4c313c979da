"""The format of bundles and facts before networks were listed by name: one detection and one recognition network.

Manifests of format 1 are still read, and facts are still sent in it beside the new one: a transformer of the last release
may ask a predictor of this one while a release is rolled out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ppocr.contract import DETECTION, RECOGNITION, BundleFacts

DET, REC = "det", "rec"
_DB = ("limit_side_len", "limit_type", "thresh", "box_thresh", "unclip_ratio", "max_candidates")
#: What a field was taken for if it wasn't there.
_DET_DEFAULTS = {
    "stride": 32,
    "limit_side_len": 960,
    "limit_type": "max",
    "max_side_len": 4000,
    "thresh": 0.3,
    "box_thresh": 0.6,
    "unclip_ratio": 1.5,
    "max_candidates": 1000,
}
_USUAL_WIDTH = 320
_REC_DEFAULTS = {"height": 48, "width_step": 32, "min_width": 32, "max_width": 3200, "stride": 8}


def networks_of(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The two networks of a manifest or of facts, as JSON of today's format. Raises KeyError or TypeError."""
    det, rec = {**_DET_DEFAULTS, **raw["det"]}, {**_REC_DEFAULTS, **raw["rec"]}
    page = _axis(det["stride"], det["max_side_len"], det["stride"], det["limit_side_len"])
    width = _axis(rec["min_width"], rec["max_width"], rec["width_step"], _USUAL_WIDTH)
    height = _axis(rec["height"], rec["height"], 1, rec["height"])
    return [
        {
            "name": DET,
            "task": DETECTION,
            "input": "image",
            "grid": {"height": page, "width": page},
            "normalisation": raw["det_normalisation"],
            "outputs": [{"name": "probability", "datatype": "UINT8"}],
            "parameters": {name: det[name] for name in _DB},
        },
        {
            "name": REC,
            "task": RECOGNITION,
            "input": "lines",
            "grid": {"height": height, "width": width},
            "normalisation": raw["rec_normalisation"],
            "outputs": [{"name": "ids", "datatype": "INT32"}, {"name": "probabilities", "datatype": "FP32"}],
            "labels": list(rec.get("characters", [])),
            "parameters": {"stride": rec["stride"]},
        },
    ]


def digested(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What the release that wrote the former format takes the digest of: pods of both may serve a bundle side by side.

    Fields that a manifest leaves out have their defaults in it, and all of them one order. Raises KeyError, TypeError or
    ValueError.
    """
    return {
        "format": raw["format"],
        "name": "",
        "version": "",
        "licence": "",
        "source": "",
        DET: {name: {**_DET_DEFAULTS, **raw[DET]}[name] for name in _DET_DEFAULTS},
        REC: {name: {**_REC_DEFAULTS, **raw[REC]}[name] for name in _REC_DEFAULTS},
        "det_normalisation": _normalisation(raw["det_normalisation"]),
        "rec_normalisation": _normalisation(raw["rec_normalisation"]),
        "files": {
            name: {"sha256": record["sha256"], "bytes": record["bytes"]}
            for name, record in sorted(raw["files"].items())
        },
        "converter": int(raw.get("converter", 0)),
    }


def facts_of(facts: BundleFacts) -> dict[str, Any] | None:
    """The fields that the former format has beside name, version and digest; None if a bundle doesn't fit into it."""
    det, rec = facts.of_task(DETECTION), facts.of_task(RECOGNITION)
    if det is None or rec is None or (det.name, rec.name) != (DET, REC):
        return None
    return {
        DET: {
            "stride": det.grid.height.step,
            "max_side_len": det.grid.height.maximum,
            **{name: det.parameters.get(name, _DET_DEFAULTS[name]) for name in _DB},
        },
        REC: {
            "characters": list(rec.labels),
            "height": rec.grid.height.minimum,
            "width_step": rec.grid.width.step,
            "min_width": rec.grid.width.minimum,
            "max_width": rec.grid.width.maximum,
            "stride": rec.parameters.get("stride", _REC_DEFAULTS["stride"]),
        },
        "det_normalisation": _normalisation(dataclasses.asdict(det.normalisation)),
        "rec_normalisation": _normalisation(dataclasses.asdict(rec.normalisation)),
    }


def _normalisation(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {"channels": raw["channels"], "mean": list(map(float, raw["mean"])), "std": list(map(float, raw["std"]))}


def _axis(minimum: int, maximum: int, step: int, wanted: int) -> dict[str, int]:
    """An axis on which the largest length up to `wanted` is usual."""
    steps = (min(wanted, maximum) - minimum) // max(step, 1)
    return {"minimum": minimum, "maximum": maximum, "step": step, "usual": minimum + max(steps, 0) * step}
