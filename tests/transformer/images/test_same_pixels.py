"""One picture, every kind of file: the same RGB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.transformer.images import files
from tests.transformer.images.crafted import animated_png
from tests.transformer.images.files import Array
from transformer.images import decode

RGB = files.picture()
GREY = np.array(Image.fromarray(RGB).convert("L"))
ALPHA = np.full(GREY.shape, 255, np.uint8)
ALPHA[5:20, 5:50], ALPHA[25:, :20] = 128, 0
ON_WHITE = np.rint((RGB.astype(float) - 255) * (ALPHA[..., None] / 255) + 255).astype(np.uint8)
RGBA = Image.fromarray(np.dstack([RGB, ALPHA]))
CMYK = np.array(Image.fromarray(RGB).convert("CMYK"))


def difference(data: bytes, expected: Array) -> int:
    image = decode(data)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.shape == expected.shape
    return int(np.abs(image.astype(int) - expected).max())


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P"])
def test_plain_kinds_are_read_as_pillow_reads_them(format: str, mode: str) -> None:
    if (format, mode) == ("JPEG", "P"):
        pytest.skip("JPEG has no palette")
    data = files.save(Image.fromarray(RGB).convert(mode), format, **({"lossless": True} if format == "WEBP" else {}))
    assert difference(data, files.seen(data)) == 0


@pytest.mark.parametrize("kind", [bytes, memoryview, bytearray])
def test_any_buffer_is_read(kind: type) -> None:
    assert difference(kind(files.written("PNG")), RGB) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_undone(format: str, orientation: int) -> None:
    data = files.written(format, exif=files.exif(orientation))
    expected = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert difference(data, expected) == 0
    assert expected.shape[:2] == (RGB.shape[:2] if orientation < 5 else RGB.shape[1::-1])


@pytest.mark.parametrize(
    "block", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_damaged_exif_is_ignored(block: bytes) -> None:
    plain = files.written("JPEG")
    data = plain[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + plain[2:]
    assert difference(data, files.seen(plain)) == 0


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"subsampling": 2}, {"restart_marker_blocks": 3}, {"quality": 5}]
)
def test_jpeg_of_every_coding(options: dict[str, Any]) -> None:
    data = files.written("JPEG", **options)
    assert difference(data, files.seen(data)) == 0


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("transform", [0, 2], ids=["CMYK", "YCCK"])
def test_jpeg_of_four_inks(transform: int, progressive: bool) -> None:
    data = files.save(Image.fromarray(CMYK, "CMYK"), "JPEG", quality=95, progressive=progressive)
    adobe = data.index(b"Adobe")
    data = data[: adobe + 11] + bytes([transform]) + data[adobe + 12 :]
    assert difference(data, files.seen(data)) <= 1


def test_jpeg_with_bytes_after_its_end() -> None:
    data = files.written("JPEG")
    assert difference(data + b"\0" * 1000 + files.written("PNG"), files.seen(data)) == 0


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_put_on_white(format: str, mode: str) -> None:
    data = files.save(RGBA.convert(mode), format, **({"lossless": True} if format == "WEBP" else {}))
    assert difference(data, files.seen(data)) <= 1


def test_lossy_webp_with_alpha() -> None:
    data = files.save(RGBA, "WEBP", quality=90)
    assert difference(data, files.seen(data)) <= 1


def test_png_of_16_bits_with_alpha() -> None:
    samples = np.dstack([RGB, ALPHA]).astype(np.uint16) * 257
    data = files.png(56, 40, depth=16, colour=6, rows=files.png_rows(samples))
    assert difference(data, ON_WHITE) <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_png_of_16_bits(channels: int) -> None:
    expected = RGB if channels == 3 else np.dstack([GREY] * 3)
    samples = (expected[..., :channels]).astype(np.uint16) * 257
    data = files.png(56, 40, depth=16, colour=2 if channels == 3 else 0, rows=files.png_rows(samples))
    assert difference(data, expected) == 0


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
def test_png_colour_key_is_white(mode: str) -> None:
    image = Image.fromarray(RGB).convert(mode)
    data = files.save(image, "PNG", transparency=image.getpixel((1, 1)))
    assert (files.seen(data)[1, 1] == 255).all()
    assert difference(data, files.seen(data)) == 0


@pytest.mark.parametrize("depth", [1, 2, 4, 16])
def test_png_grey_key_of_every_depth_is_white(depth: int) -> None:
    top = (1 << depth) - 1
    # Two pixels: the key, and its neighbour below.
    key, other = top - top // 3, top // 3
    row = {
        1: [key << 7 | other << 6],
        2: [key << 6 | other << 4],
        4: [key << 4 | other],
        16: [*divmod(key, 256), *divmod(other, 256)],
    }
    extra = files.chunk(b"tRNS", key.to_bytes(2, "big"))
    image = decode(files.png(2, 1, depth=depth, colour=0, extra=[extra], rows=bytes([0, *row[depth]])))
    assert image[0].tolist() == [[255] * 3, [other * 255 // top] * 3]


def test_png_interlaced() -> None:
    assert difference(files.png(56, 40, interlace=1, rows=files.adam7_rows(RGB)), RGB) == 0


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF", "AVIF"])
def test_an_animation_shows_its_first_frame(format: str) -> None:
    others = [Image.fromarray(RGB[::-1]), Image.fromarray(RGB[:, ::-1])]
    first = Image.fromarray(RGB) if format != "GIF" else Image.fromarray(RGB).quantize(32)
    data = files.written(format, np.array(first.convert("RGB")), save_all=True, append_images=others)
    assert difference(data, np.array(first.convert("RGB"))) <= (3 if format == "AVIF" else 0)


def test_a_broken_animation_is_not_looked_at() -> None:
    assert difference(animated_png(damaged=True), np.full((8, 8, 3), 0x50, np.uint8)) == 0


def test_png_metadata_is_not_looked_at() -> None:
    bomb = files.chunk(b"iCCP", b"x\0\0" + b"not a zlib stream") + files.chunk(b"zTXt", b"a\0\0" + b"\xff" * 50)
    plain = files.written("PNG")
    assert difference(plain[:33] + bomb + plain[33:], RGB) == 0


def test_gif_shows_its_first_frame() -> None:
    black, white = files.gif_frame(6, 4), files.gif_frame(6, 4, index=0)
    assert difference(files.gif(6, 4, black, white), np.zeros((4, 6, 3), np.uint8)) == 0


def test_gif_frame_in_a_larger_canvas_is_put_on_white() -> None:
    expected = np.full((10, 12, 3), 255, np.uint8)
    expected[3:7, 2:8] = 0
    assert difference(files.gif(12, 10, files.gif_frame(6, 4, x=2, y=3)), expected) == 0


def test_webp_frame_in_a_larger_canvas_is_put_on_white() -> None:
    still = files.written("WEBP", RGB)
    frame = bytes((2, 0, 0, 3, 0, 0, 55, 0, 0, 39, 0, 0, 100, 0, 0, 0)) + still[12:]
    data = files.riff((b"VP8X", bytes((2, 0, 0, 0, 69, 0, 0, 59, 0, 0))), (b"ANIM", bytes(6)), (b"ANMF", frame))
    expected = np.full((60, 70, 3), 255, np.uint8)
    expected[6:46, 4:60] = RGB
    assert difference(data, expected) == 0


BGRA = np.dstack([RGB[..., ::-1], ALPHA])[::-1]
MASKS = b"\0\0\xff\0\0\xff\0\0\xff\0\0\0"


def test_bmp_alpha_is_ignored_where_the_format_has_none() -> None:
    assert difference(files.bmp(BGRA.tobytes(), 56, 40, 32), RGB) == 0


def test_bmp_alpha_with_a_mask_is_put_on_white() -> None:
    assert difference(files.bmp(BGRA.tobytes(), 56, 40, 32, compression=3, masks=MASKS + b"\0\0\0\xff"), ON_WHITE) <= 1


def test_bmp_whose_alpha_was_never_written_is_opaque() -> None:
    empty = np.dstack([BGRA[..., :3], np.zeros_like(ALPHA)])
    assert difference(files.bmp(empty.tobytes(), 56, 40, 32, compression=3, masks=MASKS + b"\0\0\0\xff"), RGB) == 0


def test_bmp_top_down() -> None:
    assert difference(files.bmp(BGRA[::-1].tobytes(), 56, -40, 32), RGB) == 0


@pytest.mark.parametrize("green", [5, 6])
def test_bmp_of_16_bits(green: int) -> None:
    r, g, b = (RGB[::-1, :, i].astype("<u2") for i in range(3))
    pixels = (r >> 3) << (5 + green) | (g >> (8 - green)) << 5 | b >> 3
    masks = b"" if green == 5 else b"\0\xf8\0\0\xe0\x07\0\0\x1f\0\0\0"
    data = files.bmp(pixels.tobytes(), 56, 40, 16, compression=3 if masks else 0, masks=masks)
    assert difference(data, RGB) <= 8


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("width", [1, 56, 700])
def test_bmp_of_run_lengths(bits: int, width: int) -> None:
    dice = np.random.default_rng(bits)
    palette = dice.integers(0, 256, (1 << bits, 3)).astype(np.uint8)
    indices = np.sort(dice.integers(0, 1 << bits, (40, width)).astype(np.uint8))
    assert difference(files.bmp_of_runs(indices, palette, bits), palette[indices]) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 20_000), (20_000, 1), (300, 300)])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("content", ["white", "black", "noise"])
def test_degenerate_pictures(format: str, shape: tuple[int, int], content: str) -> None:
    if format == "WEBP" and max(shape) > 16_383:
        pytest.skip("WebP holds at most 16,383 pixels a side")
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    rgb = {"white": np.full_like(noise, 255), "black": np.zeros_like(noise), "noise": noise}[content]
    data = files.written(format, rgb)
    assert difference(data, files.seen(data)) == 0
