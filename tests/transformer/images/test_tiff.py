"""One picture in every kind of TIFF: the same RGB."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.transformer.images import files
from tests.transformer.images.files import Array
from tests.transformer.images.test_same_pixels import ALPHA, CMYK, GREY, ON_WHITE, RGB, difference


@pytest.mark.parametrize(
    "compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group3", "group4"]
)
def test_tiff_of_every_compression(compression: str) -> None:
    image = Image.fromarray(RGB).convert("1" if compression.startswith("group") else "RGB")
    data = files.save(image, "TIFF", compression=compression)
    assert difference(data, files.seen(data)) == 0


LAYOUTS = {
    "one strip": {},
    "strips": {"rows": 7},
    "tiles": {"tile": 128},
    "deflated tiles": {"tile": 16, "deflate": True},
}


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("layout", LAYOUTS)
class TestTiffLayouts:
    def write(self, samples: Array, photometric: int, layout: str, order: str, **options: object) -> bytes:
        return files.tiff(samples, photometric, order=order, **LAYOUTS[layout], **options)  # type: ignore[arg-type]

    @pytest.mark.parametrize("planar", [1, 2])
    def test_rgb(self, layout: str, order: str, planar: int) -> None:
        assert difference(self.write(RGB, 2, layout, order, planar=planar), RGB) == 0

    def test_rgb_of_16_bits(self, layout: str, order: str) -> None:
        assert difference(self.write(RGB.astype(int) * 257, 2, layout, order, bits=16), RGB) == 0

    def test_grey_of_16_bits(self, layout: str, order: str) -> None:
        if "tiles" in layout:
            pytest.skip("refused: test_refusals.py")
        data = self.write(GREY[..., None].astype(int) * 257, 1, layout, order, bits=16)
        assert difference(data, np.dstack([GREY] * 3)) == 0

    @pytest.mark.parametrize("photometric", [0, 1], ids=["white is zero", "black is zero"])
    @pytest.mark.parametrize("bits", [1, 8])
    def test_grey(self, layout: str, order: str, bits: int, photometric: int) -> None:
        values = GREY[..., None] >> (8 - bits)
        expected = np.repeat(values * (255 // ((1 << bits) - 1)), 3, 2)
        data = self.write(values, photometric, layout, order, bits=bits)
        assert difference(data, expected if photometric else 255 - expected) == 0

    @pytest.mark.parametrize("bits", [1, 4, 8])
    def test_palette(self, layout: str, order: str, bits: int) -> None:
        values = GREY[..., None] >> (8 - bits)
        colours = np.random.default_rng(bits).integers(0, 256, (3, 1 << bits))
        tags = {320: (3, (colours.ravel() * 257).tolist())}
        assert difference(self.write(values, 3, layout, order, bits=bits, tags=tags), colours.T[values[..., 0]]) == 0

    def test_cmyk(self, layout: str, order: str) -> None:
        assert difference(self.write(CMYK, 5, layout, order), RGB) <= 1

    @pytest.mark.parametrize("bits", [8, 16])
    @pytest.mark.parametrize("meaning", [0, 1, 2], ids=["unspecified", "premultiplied", "straight"])
    def test_a_fourth_sample(self, layout: str, order: str, bits: int, meaning: int) -> None:
        colours = np.rint(RGB * (ALPHA[..., None] / 255)) if meaning == 1 else RGB
        samples = np.dstack([colours, ALPHA]).astype(int) * (257 if bits == 16 else 1)
        data = self.write(samples, 2, layout, order, bits=bits, tags={338: (3, [meaning])})
        assert difference(data, ON_WHITE if meaning else RGB) <= 1


def test_tiff_shows_its_first_page() -> None:
    other = Image.fromarray(RGB[::-1])
    assert difference(files.written("TIFF", save_all=True, append_images=[other]), RGB) == 0
