"""The bundle that comes with the package: PP-OCRv6 small, from the wheel of rapidocr.

`python -m ppocr_convert.builtin REPOSITORY` writes it to REPOSITORY/ppocrv6-small/1; installing the package does that too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx

from ppocr.bundle import Bundle, Manifest
from ppocr.contract import DetFacts, Normalisation, RecFacts
from ppocr_api.errors import BundleError
from ppocr_convert import surgery, writer
from ppocr_convert.wheels import PinnedWheel

NAME, VERSION = "ppocrv6-small", "1"

DET, REC = "rapidocr/models/PP-OCRv6_det_small.onnx", "rapidocr/models/PP-OCRv6_rec_small.onnx"
WHEEL = PinnedWheel(
    "rapidocr==3.10.0",
    "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050",
    {
        DET: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        REC: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    },
)

_HALF = (0.5, 0.5, 0.5)
MANIFEST = Manifest(
    name=NAME,
    version=VERSION,
    licence="Apache-2.0",
    source="PP-OCRv6 small of PaddleOCR (PaddlePaddle authors), as ONNX in the wheel of rapidocr 3.10.0",
    # DB parameters of PP-OCRv6's own inference.yml; limit as PaddleOCR's README sets it.
    det=DetFacts(thresh=0.2, box_thresh=0.45, unclip_ratio=1.4, max_candidates=3000),
    rec=RecFacts(characters=()),
    det_normalisation=Normalisation("BGR", _HALF, _HALF),
    rec_normalisation=Normalisation("BGR", _HALF, _HALF),
)


def build(repository: Path) -> Bundle:
    """Writes the bundle into `repository`, unless this converter's is there already; a broken one is an error."""
    folder = repository / NAME / VERSION
    if bundle := writer.standing(folder, MANIFEST):
        return bundle
    models = {name: onnx.load_from_string(content) for name, content in WHEEL.fetch().items()}
    det = surgery.det(models[DET], MANIFEST.det_normalisation)
    letters = characters(models[REC])
    rec = surgery.rec(models[REC], MANIFEST.rec_normalisation, MANIFEST.rec.height, len(letters))
    files = {
        "det.onnx": det.SerializeToString(deterministic=True),
        "rec.onnx": rec.SerializeToString(deterministic=True),
    }
    return writer.write(folder, MANIFEST, files, letters, replace=True)


def characters(model: onnx.ModelProto) -> list[str]:
    """Blank, the characters that rapidocr keeps in the model's metadata, space: as PaddleOCR's CTC decoder adds them."""
    found = [item.value for item in model.metadata_props if item.key == "character"]
    if not found:
        raise BundleError("the recognition model has no metadata 'character'")
    return ["", *found[0].split("\n"), " "]


if __name__ == "__main__":
    print(build(Path(sys.argv[1])).path)
