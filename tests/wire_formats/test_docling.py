"""docling's own remote OCR engine reads what V1 reads, in the same places."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.services import Service

HERE = Path(__file__).parent
NAMES = ("075", "235", "585")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Receipts, and a page without text, as PNG: lossless, so that both ways read the same pixels."""
    folder = tmp_path_factory.mktemp("pages")
    for name in NAMES:
        with Image.open(HERE.parent / "data" / f"{name}.jpg") as image:
            image.convert("RGB").save(folder / f"{name}.png")
    Image.new("RGB", (320, 240), "white").save(folder / "white.png")
    return sorted(folder.iterdir())


def by_v1(service: Service, page: Path) -> list[dict[str, Any]]:
    instance = {"image": {"b64": base64.b64encode(page.read_bytes()).decode()}}
    answer = httpx.post(f"{service.url}/v1/models/ppocr:predict", json={"instances": [instance]}, timeout=60)
    lines: list[dict[str, Any]] = answer.raise_for_status().json()["predictions"][0]["lines"]
    return lines


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_docling_reads_as_v1_does(service: Service, docling_client: Path, pages: list[Path], transport: str) -> None:
    address = service.grpc if transport == "grpc" else service.url
    command = [str(docling_client), str(HERE / "docling_client.py"), address, transport, *map(str, pages)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    cells_of = json.loads(done.stdout.splitlines()[-1])
    for page, cells in zip(pages, cells_of, strict=True):
        lines = by_v1(service, page)
        assert (len(lines) > 10) == (page.stem != "white")
        assert [cell["text"] for cell in cells] == [line["text"] for line in lines]
        for cell, line in zip(cells, lines, strict=True):
            points = np.array(line["points"])
            assert cell["box"] == pytest.approx([*points.min(0), *points.max(0)], abs=1e-3)
            assert cell["confidence"] == pytest.approx(line["confidence"], abs=1e-6)
