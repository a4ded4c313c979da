"""The ground under a transparent picture, and grey of 16 bits that uses fewer."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.transformer.images import files
from transformer.images import decode
from transformer.images.flatten import paper

WHITE, BLACK, NAVY, YELLOW = (255, 255, 255), (0, 0, 0), (0, 0, 120), (255, 240, 90)


def drawn(*inks: tuple[int, int, int], hidden: int = 0, opacity: int = 255) -> Image.Image:
    """Bars like letters in each of `inks` on a transparent ground, whose hidden colour is `hidden`."""
    image = Image.new("RGBA", (200, 60 * len(inks)), (hidden, hidden, hidden, 0))
    for row, ink in enumerate(inks):
        for x in range(20, 180, 16):
            ImageDraw.Draw(image).rectangle((x, row * 60 + 20, x + 5, row * 60 + 40), (*ink, opacity))
    return image


def ground(image: Image.Image, form: str = "PNG") -> list[int]:
    data = files.save(image, form, **({"lossless": True} if form == "WEBP" else {}))
    return decode(data)[0, 0].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("hidden", [0, 255])
@pytest.mark.parametrize(
    ("inks", "grey"), [((WHITE,), 0), ((YELLOW,), 0), ((BLACK,), 255), ((NAVY,), 255), ((WHITE, BLACK), 128)]
)
def test_the_ground_shows_what_is_drawn(
    form: str, hidden: int, inks: tuple[tuple[int, int, int], ...], grey: int
) -> None:
    assert ground(drawn(*inks, hidden=hidden), form) == [grey] * 3


def test_grey_with_alpha() -> None:
    assert ground(drawn(WHITE).convert("LA")) == [0] * 3
    assert ground(drawn(BLACK).convert("LA")) == [255] * 3


def test_premultiplied_colours_are_judged_by_what_they_were() -> None:
    for ink, grey in ((255, 0), (0, 255)):
        premultiplied = np.zeros((60, 60, 4), np.uint8)
        premultiplied[20:30, 20:40] = (*[ink * 150 // 255] * 3, 150)
        assert paper(premultiplied, "premultiplied") == grey


def test_a_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (200, 60), 0)
    image.putpalette([9, 9, 9, *WHITE])
    ImageDraw.Draw(image).rectangle((20, 20, 60, 30), 1)
    assert decode(files.save(image, "PNG", transparency=0))[0, 0].tolist() == [0] * 3


def test_a_grey_key() -> None:
    image = Image.new("L", (200, 60), 7)
    ImageDraw.Draw(image).rectangle((20, 20, 60, 30), 255)
    assert decode(files.save(image, "PNG", transparency=7))[0, 0].tolist() == [0] * 3


def test_what_is_drawn_half_through_lies_on_the_ground() -> None:
    pixels = decode(files.save(drawn(WHITE, opacity=128), "PNG"))
    assert pixels[30, 22].tolist() == [128] * 3 and pixels[0, 0].tolist() == [0] * 3


def test_a_page_with_clear_corners_stays_on_white() -> None:
    image = Image.new("RGBA", (200, 200), (*WHITE, 255))
    ImageDraw.Draw(image).rectangle((0, 0, 30, 30), (0, 0, 0, 0))
    assert ground(image) == [255] * 3


def test_nothing_drawn_is_white() -> None:
    assert ground(Image.new("RGBA", (50, 50), (0, 0, 0, 0))) == [255] * 3


def sixteen(values: np.ndarray, form: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values.astype(np.uint16)).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_deep_grey_is_scaled_by_the_bits_that_are_used(form: str, bits: int) -> None:
    grey = np.tile(np.arange(256), (20, 1))
    values = grey << (bits - 8) if bits > 8 else grey
    assert np.array_equal(decode(sixteen(values, form)), np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_deep_grey_of_few_values_stays_dark(form: str) -> None:
    values = np.tile(np.arange(4), (20, 5))
    assert decode(sixteen(values, form)).max() == 3


def test_deep_grey_with_a_key() -> None:
    values = np.full((1, 1), 1023).astype(">u2").tobytes()
    extra = files.chunk(b"tRNS", (5).to_bytes(2, "big"))
    assert decode(files.png(1, 1, depth=16, colour=0, extra=[extra], rows=b"\0" + values))[0, 0].tolist() == [255] * 3


def deep_png(channels: list[int], colour: int) -> bytes:
    """A PNG of 16 bits a channel: a pixel of these values, and a darker one."""
    values = np.array([channels, [channels[0] // 2] * len(channels)]).astype(">u2").tobytes()
    return files.png(2, 1, depth=16, colour=colour, rows=b"\0" + values)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_deep_colours_are_scaled_by_the_bits_that_are_used(bits: int) -> None:
    top = (1 << bits) - 1
    assert decode(deep_png([top, top // 4, 0], colour=2))[0, 0].tolist() == [255, 63, 0]


@pytest.mark.parametrize("alpha_bits", [10, 16])
@pytest.mark.parametrize(("colour", "colours"), [(4, [1023]), (6, [1023, 1023, 1023])])
def test_deep_colours_and_their_alpha_are_scaled_each_by_its_bits(
    colour: int, colours: list[int], alpha_bits: int
) -> None:
    pixels = decode(deep_png([*colours, (1 << alpha_bits) - 1], colour))
    assert pixels[0, 0].tolist() == [255] * 3


def test_what_is_hidden_does_not_tell_which_bits_are_used() -> None:
    values = np.array([[65535, 0], [1023, 65535]]).astype(">u2").tobytes()
    pixels = decode(files.png(2, 1, depth=16, colour=4, rows=b"\0" + values))
    assert pixels[0, 1].tolist() == [255] * 3
