"""The format of bundles and facts before networks were listed by name: one detection and one recognition network.

Manifests of format 1 are still read, and facts are still sent in it beside the new one: a transformer of the last release
may ask a predictor of this one while a release is rolled out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr.contract import DETECTION, RECOGNITION, BundleFacts, NetworkFacts

DET, REC = "det", "rec"
_DB = ("limit_side_len", "limit_type", "thresh", "box_thresh", "unclip_ratio", "max_candidates")
#: What a field was taken for where it wasn't there.
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
_REC_DEFAULTS = {"height": 48, "width_step": 32, "min_width": 32, "max_width": 3200, "stride": 8}


def networks_of(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The two networks of a manifest or of facts, as JSON of today's format. Raises KeyError or TypeError."""
    det, rec = {**_DET_DEFAULTS, **raw["det"]}, {**_REC_DEFAULTS, **raw["rec"]}
    page = _axis(det["stride"], det["max_side_len"], det["stride"], min(det["limit_side_len"], det["max_side_len"]))
    width = _axis(rec["min_width"], rec["max_width"], rec["width_step"], min(320, rec["max_width"]))
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


def facts_of(facts: BundleFacts) -> dict[str, Any] | None:
    """The fields that the former format has beside name, version and digest; None where a bundle doesn't fit into it."""
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
        "det_normalisation": _normalisation(det),
        "rec_normalisation": _normalisation(rec),
    }


def _normalisation(network: NetworkFacts) -> dict[str, Any]:
    known = network.normalisation
    return {"channels": known.channels, "mean": list(known.mean), "std": list(known.std)}


def _axis(minimum: int, maximum: int, step: int, usual: int) -> dict[str, int]:
    return {"minimum": minimum, "maximum": maximum, "step": step, "usual": usual}
