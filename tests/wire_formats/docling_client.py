"""Reads images with docling's own remote OCR engine, and prints what it made of them as JSON. Runs in docling's environment.

python docling_client.py ADDRESS grpc|http IMAGE…
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from docling.backend.image_backend import ImageDocumentBackend
from docling.datamodel.accelerator_options import AcceleratorOptions
from docling.datamodel.base_models import InputFormat, Page
from docling.datamodel.document import ConversionResult, InputDocument
from docling.datamodel.pipeline_options import KserveV2OcrOptions, OcrMode
from docling.models.stages.ocr.kserve_v2_ocr_model import KserveV2OcrModel


def main(address: str, transport: str, *images: str) -> None:
    # Images of 72 dpi at scale 1 are sent as they are.
    options = KserveV2OcrOptions(
        url=address, transport=transport, model_name="ppocr", lang=["english"], scale=1.0, mode=OcrMode.FULL_PAGE
    )
    model = KserveV2OcrModel(
        enabled=True,
        artifacts_path=None,
        options=options,
        accelerator_options=AcceleratorOptions(),
        enable_remote_services=True,
    )
    print(json.dumps([read(model, Path(image)) for image in images]))


def read(model: KserveV2OcrModel, image: Path) -> list[dict[str, Any]]:
    """Text, left, top, right, bottom and confidence of each cell."""
    document = InputDocument(path_or_stream=image, format=InputFormat.IMAGE, backend=ImageDocumentBackend)
    result = ConversionResult(input=document)
    page = Page(page_no=1)
    page._backend = document._backend.load_page(0)
    page.size = page._backend.get_size()
    page.parsed_page = page._backend.get_segmented_page()
    list(model(result, [page]))
    if result.errors:
        sys.exit("; ".join(error.error_message for error in result.errors))
    cells = page.parsed_page.textline_cells
    boxes = [cell.rect.to_bounding_box() for cell in cells]
    return [
        {"text": cell.text, "box": [box.l, box.t, box.r, box.b], "confidence": cell.confidence}
        for cell, box in zip(cells, boxes, strict=True)
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
