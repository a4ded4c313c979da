"""JPEG 2000, AVIF and HEIC: the same picture as from any other file."""

from __future__ import annotations

import importlib.util
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from ppocr_api.errors import InvalidImage
from tests.transformer.images import files
from tests.transformer.images.test_same_pixels import GREY, ON_WHITE, RGB, RGBA, difference
from transformer.images import decode
from transformer.images.exif import upright

#: The largest difference of a pixel: the codecs of the last two go by way of YCbCr.
LOSS = {"JPEG2000": 0, "AVIF": 3, "HEIF": 4}


@pytest.mark.parametrize("format", LOSS)
class TestKinds:
    def test_rgb(self, format: str) -> None:
        assert difference(files.written(format), RGB) <= LOSS[format]

    def test_grey(self, format: str) -> None:
        data = files.save(Image.fromarray(GREY), format, quality=100)
        assert difference(data, np.dstack([GREY] * 3)) <= LOSS[format]

    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    def test_alpha_is_put_on_white(self, format: str, mode: str) -> None:
        if (format, mode) == ("JPEG2000", "LA"):
            pytest.skip("refused: test_refusals.py")
        options = {"AVIF": {"subsampling": "4:4:4"}, "HEIF": {"chroma": 444}}.get(format, {})
        data = files.save(RGBA.convert(mode), format, **options, **({} if format == "JPEG2000" else {"quality": 100}))
        expected = ON_WHITE if mode == "RGBA" else files.seen(files.save(RGBA.convert("LA"), "PNG"))
        assert difference(data, expected) <= LOSS[format] + 1

    @pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (300, 300)])
    def test_degenerate_pictures(self, format: str, shape: tuple[int, int]) -> None:
        for value in (0, 255):
            rgb = np.full((*shape, 3), value, np.uint8)
            assert difference(files.written(format, rgb), rgb) <= LOSS[format]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_is_turned_upright(orientation: int) -> None:
    data = files.written("AVIF", exif=files.exif(orientation))
    expected = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert difference(data, expected) == 0
    assert difference(data, upright(RGB, orientation)) <= LOSS["AVIF"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_upright(orientation: int) -> None:
    assert difference(files.turned_heif(orientation), upright(RGB, orientation)) <= LOSS["HEIF"]


def test_heic_in_tiles() -> None:
    rgb = files.picture(300, 500)
    assert difference(files.written("HEIF", rgb, tile_size=128), rgb) <= LOSS["HEIF"]


@pytest.mark.parametrize("options", [{"no_jp2": True}, {"tile_size": (16, 16)}, {"num_resolutions": 1}])
def test_jpeg2000_of_every_layout(options: dict[str, Any]) -> None:
    assert difference(files.written("JPEG2000", **options), RGB) == 0


def test_jpeg2000_of_16_bits() -> None:
    data = files.save(Image.fromarray(GREY.astype(np.uint16) * 256 + GREY[::-1]), "JPEG2000")
    assert difference(data, np.dstack([GREY] * 3)) == 0


def test_damaged_metadata_is_not_looked_at() -> None:
    for format in ("AVIF", "HEIF"):
        image = files.exif(1)
        image[271] = "a maker"
        data = files.written(format, exif=image)
        block = data.index(b"MM\0*\0\0\0\x08")
        assert difference(data[: block + 4] + b"\xff" * 20 + data[block + 24 :], RGB) <= LOSS[format]


def test_heic_without_its_package_is_refused_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data, find = files.written("HEIF"), importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pi_heif" else find(name))
    with pytest.raises(
        InvalidImage, match=r"an HEIC image is not supported: send a JPEG or PNG .*pi-heif.*extra `heic`"
    ):
        decode(data)


def test_files_of_every_format_are_decoded_side_by_side() -> None:
    wanted = [files.written(format) for format in (*LOSS, "TIFF", "GIF", "WEBP", "PNG", "JPEG")]
    alone = [decode(data) for data in wanted]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(decode, wanted * 25))
    assert all(np.array_equal(image, alone[i % len(alone)]) for i, image in enumerate(together))
