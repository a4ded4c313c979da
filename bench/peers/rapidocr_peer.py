"""RapidOCR as a program: one image's path a line on stdin, one JSON object per line on stdout. See bench/README.md.

It is run by the python of its own environment (bench/peers/rapidocr.txt), and used as RapidOCR's documentation says:
one process, one image after the other, given as the bytes of its file. The models are those of the wheel of RapidOCR.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any

from rapidocr import EngineType, RapidOCR  # type: ignore[import-not-found,unused-ignore]


def precision(engine: str, reader: Any) -> str:
    """What the recognition network computes in. Only OpenVINO chooses it from the CPU."""
    if engine == "onnxruntime":
        return "f32"
    session = reader.text_rec.session.session
    return str(session.get_compiled_model().get_property("INFERENCE_PRECISION_HINT")).split("'")[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["onnxruntime", "openvino"], required=True)
    parser.add_argument("--limit", type=int, default=960, help="the longest side that the detection sees, in pixels")
    parser.add_argument("--warm", required=True, help="the image read once before the ready line")
    parser.add_argument("--go-on", action="store_true", help="go on after an image that it fails on: it has no text")
    options = parser.parse_args()

    start = time.perf_counter()
    kind = EngineType(options.engine)
    reader = RapidOCR(
        params={
            "Global.use_cls": False,
            "Global.log_level": "error",
            "Det.engine_type": kind,
            "Rec.engine_type": kind,
            "Det.limit_type": "max",
            "Det.limit_side_len": options.limit,
        }
    )
    reader(Path(options.warm).read_bytes())  # RapidOCR loads its models with the first image
    versions = {name: importlib.metadata.version(name) for name in ("rapidocr", options.engine)}
    facts = {"precision": precision(options.engine, reader), "seconds": time.perf_counter() - start}
    print(json.dumps({"ready": versions | facts}), flush=True)

    for line in sys.stdin:
        begin = time.perf_counter()
        try:
            texts = list(reader(Path(line.strip()).read_bytes()).txts or ())
        except Exception as error:  # of many kinds: it fails on lines of 400 characters, for one
            if not options.go_on:
                raise
            print(repr(error), file=sys.stderr)
            texts = []
        seconds = time.perf_counter() - begin
        print(json.dumps({"texts": texts, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
