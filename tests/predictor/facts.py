"""What tests say of networks and bundles that aren't on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ppocr.contract import (
    DETECTION,
    LINE_ORIENTATION,
    RECOGNITION,
    Axis,
    BundleFacts,
    Grid,
    NetworkFacts,
    Normalisation,
    Output,
)
from predictor.manifest import CHARACTERS, MANIFEST, Manifest, file_record

UNIT = Normalisation("RGB", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def fixed(length: int) -> Axis:
    return Axis(length, length, 1, length)


PAGES = Grid(Axis(32, 4000, 32, 960), Axis(32, 4000, 32, 960))
LINES = Grid(fixed(48), Axis(32, 3200, 32, 320))
DET = NetworkFacts("det", DETECTION, "image", PAGES, UNIT, (Output("probability", "UINT8"),))
REC = NetworkFacts(
    "rec", RECOGNITION, "lines", LINES, UNIT, (Output("ids", "INT32"), Output("probabilities", "FP32")), ("", "a")
)
CLS = NetworkFacts(
    "cls",
    LINE_ORIENTATION,
    "thumbnails",
    Grid(fixed(32), fixed(64)),
    UNIT,
    (Output("label", "INT32"), Output("probability", "FP32")),
    ("0", "180"),
)


def bundle(version: str = "1", networks: Iterable[NetworkFacts] = (DET, REC), digest: str = "") -> BundleFacts:
    return BundleFacts("small", version, tuple(networks), digest)


def on_disk(folder: Path, name: str, version: str) -> Path:
    """A bundle's folder that is complete but for the networks' files, which its manifest doesn't list."""
    folder.mkdir(parents=True)
    characters = b"\na\n"
    (folder / CHARACTERS).write_bytes(characters)
    files = {CHARACTERS: file_record(characters)}
    manifest = Manifest(name, version, "Apache-2.0", "a test", (DET, REC), {"rec": CHARACTERS}, files)
    (folder / MANIFEST).write_text(manifest.to_json())
    return folder
