"""docling's OCR stage as a program: a pass's paths in one line on stdin, one JSON object for it on stdout. See bench/README.md.

It is run by the python of its own environment (bench/peers/docling.txt). The stage is docling's own class, with RapidOCR in this
process or with a service that is asked for tensors; nothing else of docling runs, since its layout models are in no wheel.
Each caller is a thread with a model of its own, as each of docling's converters has one.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any

from docling.backend.image_backend import ImageDocumentBackend  # type: ignore[import-not-found,unused-ignore]
from docling.datamodel.accelerator_options import AcceleratorOptions  # type: ignore[import-not-found,unused-ignore]
from docling.datamodel.base_models import InputFormat, Page  # type: ignore[import-not-found,unused-ignore]
from docling.datamodel.document import ConversionResult, InputDocument  # type: ignore[import-not-found,unused-ignore]
from docling.datamodel.pipeline_options import (  # type: ignore[import-not-found,unused-ignore]
    KserveV2OcrOptions,
    OcrMode,
    RapidOcrOptions,
)
from docling.models.stages.ocr import rapid_ocr_model  # type: ignore[import-not-found,unused-ignore]
from docling.models.stages.ocr.kserve_v2_ocr_model import (  # type: ignore[import-not-found,unused-ignore]
    KserveV2OcrModel,
)

# docling asks PyTorch (3 GB with what it needs) whether there is a GPU, and nothing else here. This is its answer without one.
rapid_ocr_model.decide_device = lambda device: "cpu"

#: An image counts as a page of 72 dpi, so at this scale all engines are given its own pixels.
SCALE = 1.0


def model(options: argparse.Namespace) -> Any:
    """With docling's defaults, but for the scale, and that the whole page is read."""
    common = {"enabled": True, "artifacts_path": None, "accelerator_options": AcceleratorOptions()}
    if options.local:
        chosen = RapidOcrOptions(backend=options.local, scale=SCALE, mode=OcrMode.FULL_PAGE)
        return rapid_ocr_model.RapidOcrModel(options=chosen, **common)
    asked = KserveV2OcrOptions(
        url=options.address,
        transport=options.transport,
        model_name="ppocr",
        lang=["english"],
        scale=SCALE,
        mode=OcrMode.FULL_PAGE,
    )
    return KserveV2OcrModel(options=asked, enable_remote_services=True, **common)


def read(stage: Any, image: Path) -> list[str]:
    """The texts of a page, from the file on."""
    document = InputDocument(path_or_stream=image, format=InputFormat.IMAGE, backend=ImageDocumentBackend)
    result = ConversionResult(input=document)
    page = Page(page_no=1)
    page._backend = document._backend.load_page(0)
    page.size = page._backend.get_size()
    page.parsed_page = page._backend.get_segmented_page()
    list(stage(result, [page]))
    if result.errors:
        raise RuntimeError("; ".join(error.error_message for error in result.errors))
    return [cell.text for cell in page.parsed_page.textline_cells]


def read_all(stages: list[Any], images: list[Path]) -> dict[str, Any]:
    """Texts and seconds of each image, in the order of `images`, and the wall seconds of all."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(images)):
        waiting.put(index)
    texts: list[list[str]] = [[] for _ in images]
    seconds = [0.0 for _ in images]
    failures: list[BaseException] = []

    def caller(stage: Any) -> None:
        try:
            while True:
                index = waiting.get_nowait()
                begin = time.perf_counter()
                texts[index] = read(stage, images[index])
                seconds[index] = time.perf_counter() - begin
        except queue.Empty:
            pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=caller, args=(stage,)) for stage in stages]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begin
    if failures:
        raise failures[0]
    return {"texts": texts, "seconds": seconds, "wall": wall}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    engine = parser.add_mutually_exclusive_group(required=True)
    engine.add_argument("--local", choices=["onnxruntime", "openvino"], help="RapidOCR, on this library")
    engine.add_argument("--address", help="of a service")
    parser.add_argument("--transport", choices=["grpc", "http"], default="grpc")
    parser.add_argument("--callers", type=int, default=1)
    parser.add_argument("--warm", type=Path, required=True, help="the image read once before the ready line")
    options = parser.parse_args()
    begin = time.perf_counter()
    stages = [model(options) for _ in range(options.callers)]
    for stage in stages:
        read(stage, options.warm)
    names = ("docling-slim", *(("rapidocr", options.local) if options.local else ()))
    versions = {name: importlib.metadata.version(name) for name in names}
    print(json.dumps({"ready": {**versions, "seconds": time.perf_counter() - begin}}), flush=True)
    for line in sys.stdin:
        print(json.dumps(read_all(stages, [Path(path) for path in line.rstrip("\n").split("\t")])), flush=True)


if __name__ == "__main__":
    main()
