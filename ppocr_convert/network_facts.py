"""The manifest entry of each kind of network: grid, inputs, outputs and parameters."""

from __future__ import annotations

from typing import Any

from ppocr.contract import (
    DETECTION,
    LINE_ORIENTATION,
    PAGE_ORIENTATION,
    RECOGNITION,
    Axis,
    Grid,
    NetworkFacts,
    Normalisation,
    Output,
)
from ppocr_convert import orientation_head, surgery

DET, REC = "det", "rec"
#: The names of a bundle's networks, in pipeline order, and their tasks.
TASKS = {PAGE_ORIENTATION: PAGE_ORIENTATION, DET: DETECTION, LINE_ORIENTATION: LINE_ORIENTATION, REC: RECOGNITION}

#: A detection network halves its input five times; its map is as large as the input.
STRIDE = 32
_MAX_SIDE = 4000
_LINE = Axis(32, 3200, 32, 320)
HEIGHT = 48
#: PaddleOCR's defaults.
_DETECTION: dict[str, Any] = {
    "limit_side_len": 960,
    "limit_type": "max",
    "thresh": 0.3,
    "box_thresh": 0.6,
    "unclip_ratio": 1.5,
    "max_candidates": 1000,
}


def detection(normalisation: Normalisation, **parameters: Any) -> NetworkFacts:
    """Facts of a detection network. `parameters` are DB's, and replace PaddleOCR's defaults."""
    known = {**_DETECTION, **parameters}
    usual = min(known["limit_side_len"], _MAX_SIDE) if known["limit_type"] == "max" else _DETECTION["limit_side_len"]
    page = Axis(STRIDE, _MAX_SIDE, STRIDE, max(usual // STRIDE, 1) * STRIDE)
    return NetworkFacts(
        name=DET,
        task=DETECTION,
        input=surgery.DET_INPUT,
        grid=Grid(page, page),
        normalisation=normalisation,
        outputs=(Output(surgery.DET_OUTPUT, "UINT8"),),
        parameters=known,
    )


def recognition(normalisation: Normalisation, height: int = HEIGHT, stride: int = 8) -> NetworkFacts:
    """Facts of a recognition network. `stride`: pixels of width per time step. Labels are in the bundle's characters.txt."""
    return NetworkFacts(
        name=REC,
        task=RECOGNITION,
        input=surgery.REC_INPUT,
        grid=Grid(_fixed(height), _LINE),
        normalisation=normalisation,
        outputs=(Output(surgery.REC_IDS, "INT32"), Output(surgery.REC_PROBABILITIES, "FP32")),
        parameters={"stride": stride},
    )


def orientation(task: str, fit: orientation_head.Fit) -> NetworkFacts:
    """Facts of an orientation network, of lines or of pages. The task is also its name."""
    height, width = fit.size
    return NetworkFacts(
        name=task,
        task=task,
        input=orientation_head.INPUTS[task],
        grid=Grid(_fixed(height), _fixed(width)),
        normalisation=fit.normalisation,
        outputs=(Output(orientation_head.LABEL, "INT32"), Output(orientation_head.PROBABILITY, "FP32")),
        labels=orientation_head.LABELS[task],
        parameters=dict(fit.parameters),
    )


def _fixed(length: int) -> Axis:
    return Axis(length, length, 1, length)
