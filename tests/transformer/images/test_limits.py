"""The limits hold at their exact value, and the memory that a header promises is what decoding takes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ppocr_api.errors import ImageTooLarge
from tests.transformer.images import files, large
from tests.transformer.images.test_refusals import ROOT, probe
from transformer.images import ImageLimits, decode
from transformer.images.formats import reader_of

FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF"]


@pytest.mark.parametrize("format", FORMATS)
class TestLimits:
    def test_pixels(self, format: str) -> None:
        data = files.written(format)
        assert decode(data, ImageLimits(max_pixels=40 * 56)).shape == (40, 56, 3)
        with pytest.raises(ImageTooLarge, match=r"56 x 40 = 2,240 pixels, and at most 2,239"):
            decode(data, ImageLimits(max_pixels=40 * 56 - 1))

    def test_side(self, format: str) -> None:
        data = files.written(format)
        assert decode(data, ImageLimits(max_side=56)).shape == (40, 56, 3)
        with pytest.raises(ImageTooLarge, match="a side may have at most 55"):
            decode(data, ImageLimits(max_side=55))

    def test_bytes(self, format: str) -> None:
        data = files.written(format)
        assert decode(data, ImageLimits(max_bytes=len(data))).shape == (40, 56, 3)
        with pytest.raises(ImageTooLarge, match=r"bytes, and at most"):
            decode(data, ImageLimits(max_bytes=len(data) - 1))

    def test_memory(self, format: str) -> None:
        with pytest.raises(ImageTooLarge, match="decoding the image would take"):
            decode(files.written(format), ImageLimits(max_memory=1000))


def test_the_default_limits_hold_an_a4_page_at_800_dpi() -> None:
    ImageLimits().check_size(6614, 9354)


def test_the_documentation_names_every_limit_and_its_default() -> None:
    page = (ROOT / "docs" / "images.md").read_text()
    for field in dataclasses.fields(ImageLimits):
        assert f"| `{field.name}` | {field.default:,} |" in page


@pytest.fixture(scope="module")
def costs() -> dict[str, dict[str, Any]]:
    return probe("large")


@pytest.mark.parametrize("kind", large.KINDS)
def test_memory_is_what_the_header_promises(kind: str, costs: dict[str, dict[str, Any]]) -> None:
    data = memoryview(large.KINDS[kind]())
    promised = reader_of(data)[1](data, ImageLimits()).memory
    assert costs[kind]["outcome"] in ("3000 x 2000", "2000 x 3000")
    assert costs[kind]["memory"] < 1.05 * promised + 4e6
