"""Facts of networks like PP-OCR's, for tests that need no network."""

from __future__ import annotations

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
