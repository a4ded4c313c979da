"""Facts of networks like PP-OCR's, for tests that need no network."""

from __future__ import annotations

from typing import Any

from ppocr.contract import DETECTION, RECOGNITION, Axis, Grid, NetworkFacts, Normalisation, Output

_HALF = Normalisation("BGR", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_PAGE = Axis(32, 4000, 32, 960)

DET = NetworkFacts(
    name="det",
    task=DETECTION,
    input="image",
    grid=Grid(_PAGE, _PAGE),
    normalisation=_HALF,
    outputs=(Output("probability", "UINT8"),),
)


def rec(*characters: str) -> NetworkFacts:
    """A recognition network of these characters, the blank first."""
    return NetworkFacts(
        name="rec",
        task=RECOGNITION,
        input="lines",
        grid=Grid(Axis(48, 48, 1, 48), Axis(32, 3200, 32, 320)),
        normalisation=_HALF,
        outputs=(Output("ids", "INT32"), Output("probabilities", "FP32")),
        labels=characters,
        parameters={"stride": 8},
    )


def orientation(task: str, labels: tuple[str, ...], height: int, width: int, **parameters: Any) -> NetworkFacts:
    """A network that says how its items are turned, and is named like its task."""
    return NetworkFacts(
        name=task,
        task=task,
        input="items",
        grid=Grid(Axis(height, height, 1, height), Axis(width, width, 1, width)),
        normalisation=_HALF,
        outputs=(Output("label", "INT32"), Output("probability", "FP32")),
        labels=labels,
        parameters={"threshold": 0.5, **parameters},
    )
