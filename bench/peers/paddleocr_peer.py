"""PaddleOCR as a program: one image's path a line on stdin, one JSON object per line on stdout. See bench/README.md.

It is run by the python of its own environment (bench/peers/paddleocr.txt), and used as PaddleOCR's documentation says:
one process, one image after the other. It takes paths or arrays; a server has bytes, so OpenCV decodes them here.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from paddleocr import PaddleOCR  # type: ignore[import-not-found,unused-ignore]


def texts(reader: Any, path: str) -> list[str]:
    image = cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    return [text for page in reader.predict(image) for text in page["rec_texts"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder with det/ and rec/")
    parser.add_argument("--limit", type=int, default=960, help="the longest side that the detection sees, in pixels")
    parser.add_argument("--threads", type=int, help="CPU threads (PaddleOCR's default is 10, on any machine)")
    parser.add_argument("--warm", required=True, help="the image read once before the ready line")
    options = parser.parse_args()

    start = time.perf_counter()
    reader = PaddleOCR(
        text_detection_model_name="PP-OCRv4_mobile_det",
        text_detection_model_dir=str(options.models / "det"),
        text_recognition_model_name="PP-OCRv4_mobile_rec",
        text_recognition_model_dir=str(options.models / "rec"),
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
        text_det_limit_type="max",
        text_det_limit_side_len=options.limit,
        device="cpu",
        **({"cpu_threads": options.threads} if options.threads else {}),
    )
    texts(reader, options.warm)
    versions = {name: importlib.metadata.version(name) for name in ("paddleocr", "paddlepaddle")}
    print(json.dumps({"ready": versions | {"precision": "f32", "seconds": time.perf_counter() - start}}), flush=True)

    for line in sys.stdin:
        begin = time.perf_counter()
        read = texts(reader, line.strip())
        print(json.dumps({"texts": read, "seconds": time.perf_counter() - begin}), flush=True)


if __name__ == "__main__":
    main()
