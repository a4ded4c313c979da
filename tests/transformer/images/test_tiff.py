"""One picture in every kind of TIFF: the same RGB."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.transformer.images import files
from tests.transformer.images.files import Array
from tests.transformer.images.mutate import LIMITS
from tests.transformer.images.test_same_pixels import ALPHA, CMYK, GREY, ON_WHITE, RGB, difference
from transformer.images import decode, inspect


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

    @pytest.mark.parametrize("planar", [1, 2])
    def test_rgb_of_16_bits(self, layout: str, order: str, planar: int) -> None:
        # The lower eight bits tell: read as the upper, they would be another picture.
        samples = RGB.astype(int) * 256 + RGB[::-1]
        assert difference(self.write(samples, 2, layout, order, bits=16, planar=planar), RGB) == 0

    @pytest.mark.parametrize("bits", [8, 12])
    def test_rgb_of_fewer_bits_in_16(self, layout: str, order: str, bits: int) -> None:
        samples = RGB.astype(int) << (bits - 8) | RGB[::-1] >> (16 - bits)
        assert difference(self.write(samples, 2, layout, order, bits=16), RGB) == 0

    def test_bigtiff(self, layout: str, order: str) -> None:
        assert difference(self.write(RGB, 2, layout, order, big=True), RGB) == 0

    @pytest.mark.parametrize("photometric", [0, 1], ids=["white is zero", "black is zero"])
    def test_grey_of_16_bits(self, layout: str, order: str, photometric: int) -> None:
        data = self.write(GREY[..., None].astype(int) * 257, photometric, layout, order, bits=16)
        expected = np.dstack([GREY] * 3)
        assert difference(data, expected if photometric else 255 - expected) == 0

    @pytest.mark.parametrize("photometric", [0, 1], ids=["white is zero", "black is zero"])
    @pytest.mark.parametrize("top", [1, 255])
    def test_grey_of_floats(self, layout: str, order: str, top: int, photometric: int) -> None:
        data = self.write(GREY[..., None] * (top / 255), photometric, layout, order, bits=32)
        expected = np.dstack([GREY] * 3)
        assert difference(data, expected if photometric else 255 - expected) == 0

    @pytest.mark.parametrize("meaning", [0, 1, 2], ids=["unspecified", "premultiplied", "straight"])
    def test_grey_with_a_second_sample(self, layout: str, order: str, meaning: int) -> None:
        grey = np.rint(GREY * (ALPHA / 255)) if meaning == 1 else GREY
        data = self.write(np.dstack([grey, ALPHA]), 1, layout, order, tags={338: (3, [meaning])})
        on_white = np.rint((GREY.astype(float) - 255) * (ALPHA / 255) + 255)
        assert difference(data, np.dstack([on_white if meaning else GREY] * 3)) <= 1

    @pytest.mark.parametrize("photometric", [0, 1], ids=["white is zero", "black is zero"])
    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_grey(self, layout: str, order: str, bits: int, photometric: int) -> None:
        values = GREY[..., None] >> (8 - bits)
        expected = np.repeat(values * (255 // ((1 << bits) - 1)), 3, 2)
        data = self.write(values, photometric, layout, order, bits=bits)
        assert difference(data, expected if photometric else 255 - expected) == 0

    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_palette(self, layout: str, order: str, bits: int) -> None:
        values = GREY[..., None] >> (8 - bits)
        colours = np.random.default_rng(bits).integers(0, 256, (3, 1 << bits))
        tags = {320: (3, (colours.ravel() * 257).tolist())}
        assert difference(self.write(values, 3, layout, order, bits=bits, tags=tags), colours.T[values[..., 0]]) == 0

    @pytest.mark.parametrize("bits", [8, 16])
    def test_cmyk(self, layout: str, order: str, bits: int) -> None:
        samples = CMYK.astype(int) * (257 if bits == 16 else 1)
        assert difference(self.write(samples, 5, layout, order, bits=bits), RGB) <= 1

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


def further(data: bytes) -> bool:
    return inspect(data, LIMITS).further


@pytest.mark.parametrize("big", [False, True], ids=["TIFF", "BigTIFF"])
def test_further_pages_are_noticed(big: bool) -> None:
    other = Image.fromarray(RGB[::-1])
    kind = {"save_all": True, "big_tiff": big}
    assert further(files.written("TIFF", **kind, append_images=[other]))
    assert not further(files.written("TIFF", **kind))


@pytest.mark.parametrize(("kind", "page"), [(0, True), (2, True), (1, False), (4, False)])
def test_a_smaller_copy_or_a_mask_is_no_further_page(kind: int, page: bool) -> None:
    """The second directory's NewSubfileType: 1 a smaller copy, 2 a page of several, 4 a mask."""
    copy = Image.fromarray(RGB[::2, ::2])
    copy.encoderinfo = {"tiffinfo": {254: kind}}
    assert further(files.written("TIFF", save_all=True, append_images=[copy])) == page


@pytest.mark.parametrize("following", [-1, 4, 1 << 20])
def test_a_further_directory_that_is_not_there_is_none(following: int) -> None:
    """It is the first one again, in the header, or beyond the end: the first page is whole."""
    body, entries = bytes(3), {256: [1], 257: [1], 258: [8, 8, 8], 259: [1], 262: [2], 273: [8], 277: [3], 279: [3]}
    numbers = {tag: (4, values) for tag, values in entries.items()}
    assert not further(files.tiff_file(body, numbers, following=following))


def test_floats_without_a_value_are_black() -> None:
    values = np.array([[[0.5], [np.nan], [np.inf], [-np.inf], [-3.0]]])
    assert decode(files.tiff(values, 1, bits=32))[0, :, 0].tolist() == [128, 0, 255, 0, 0]


def test_bigtiff_of_numbers_of_8_bytes() -> None:
    tags = {tag: (16, [value]) for tag, value in {256: 56, 257: 40, 259: 1, 262: 2, 277: 3, 278: 40, 284: 1}.items()}
    assert difference(files.tiff(RGB, 2, big=True, tags=tags), RGB) == 0
