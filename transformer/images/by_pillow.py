"""Decodes with Pillow the formats of which it reads more kinds than OpenCV, or that it reads in less memory."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from transformer.images import deep, exif, flatten
from transformer.images.source import Alpha, Source, damaged
from transformer.images.tiff_directory import write_directory

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

    from ppocr.contract import U8

Opener = Callable[[io.BytesIO], Image.Image]

#: Pixels that are converted to RGB at a time, so that Pillow's image and a full copy of it are never in memory together.
_BAND_PIXELS = 1 << 16

#: Raw modes of 16-bit RGB samples, which libtiff returns in the machine's byte order. Pillow keeps only the upper byte of
#: each; with the mode of the other byte order it keeps the lower one.
_UPPER_BYTES, _LOWER_BYTES = "RGB;16N", "RGB;16B" if sys.byteorder == "little" else "RGB;16L"

# ImageLimits are checked earlier; Pillow's own limit would warn from 89 million pixels on, whatever the operator allows.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False


def _tiff(file: io.BytesIO) -> TiffImageFile:
    from PIL import TiffImagePlugin

    # Pillow's own reader of uncompressed strips takes 16-bit planes for 8-bit ones.
    TiffImagePlugin.READ_LIBTIFF = True
    return TiffImagePlugin.TiffImageFile(file)


def _gif(file: io.BytesIO) -> Image.Image:
    from PIL import GifImagePlugin

    return GifImagePlugin.GifImageFile(file)


def _avif(file: io.BytesIO) -> Image.Image:
    from PIL import AvifImagePlugin

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # several images are decoded at the same time
    return AvifImagePlugin.AvifImageFile(file)


def _heic(file: io.BytesIO) -> Image.Image:
    import pi_heif

    pi_heif.options.DECODE_THREADS = 1
    found = pi_heif.open_heif(file)
    # Copied, because the memory behind `data` belongs to libheif and is freed with `found`.
    return Image.frombuffer(found.mode, found.size, found.data, "raw", found.mode, found.stride, 1).copy()


_OPENERS: dict[str, Opener] = {"TIFF": _tiff, "GIF": _gif, "AVIF": _avif, "HEIC": _heic}
FORMATS = frozenset(_OPENERS)


def pixels(source: Source) -> U8:
    """UINT8 [H,W,3], RGB, laid on paper if it is transparent. AVIF and HEIC are upright already; the others are as stored.

    Raises InvalidImage.
    """
    try:
        image = _OPENERS[source.format](io.BytesIO(source.data))
        deep_colour = _is_deep_colour(image)
        image.load()
    except Exception as error:  # plugins raise whatever their parsing runs into: KeyError, SyntaxError, OSError, …
        raise damaged(source.format, "its pixels can't be decoded") from error
    # libheif turns and crops by itself; the result must not have more pixels than declared.
    if image.size != (source.width, source.height) and (
        source.format != "HEIC" or image.width * image.height > source.width * source.height
    ):
        raise damaged(source.format, "its pixels don't fill the size in its header")
    scale, paper = _scale(image, source), _paper(image)
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top, band in _bands(image):
        rgb[top : top + band.height] = _rgb(band, source, scale, paper)
    if deep_colour and rgb.max() < 128:
        del image  # its memory is needed
        _add_lower_bytes(rgb, source)
        return rgb
    # AVIF has its orientation in a box that libavif reads; that of the other formats is in `source`.
    return exif.upright(rgb, image.getexif().get(exif.ORIENTATION, 1)) if source.format == "AVIF" else rgb


def _is_deep_colour(image: Image.Image) -> bool:
    """Whether `image` is 16-bit RGB with interleaved samples, of which Pillow keeps the upper bytes."""
    from PIL import TiffImagePlugin

    return (
        isinstance(image, TiffImagePlugin.TiffImageFile)
        and image.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 1
        and isinstance(arguments := image.tile[0].args, tuple)
        and arguments[0] == _UPPER_BYTES
    )


def _add_lower_bytes(rgb: U8, source: Source) -> None:
    """Changes `rgb` UINT8 [H,W,3] in place from the upper bytes of 16-bit samples to the upper eight of the bits used."""
    image = _tiff(io.BytesIO(source.data))
    (tile,) = image.tile
    assert isinstance(tile.args, tuple)
    image.tile = [tile._replace(args=(_LOWER_BYTES, *tile.args[1:]))]
    image.load()
    beyond = deep.used_bits(int(rgb.max()) << 8) - 8
    for top, band in _bands(image):
        rows = rgb[top : top + band.height]
        rows[:] = (rows << (8 - beyond)) | (np.asarray(band) >> beyond) if beyond else np.asarray(band)


@lru_cache(maxsize=1)
def _swaps_floats() -> bool:
    """Whether Pillow swaps big-endian floats that libtiff has swapped already. Version 13 does."""
    tags = {256: [1], 257: [1], 258: [32], 259: [1], 262: [1], 273: [8], 277: [1], 278: [1], 279: [4], 339: [3]}
    one = write_directory(memoryview(bytes(8) + struct.pack(">f", 1.0)), ">", {}, tags)
    return _tiff(io.BytesIO(one)).getpixel((0, 0)) != 1.0


def _floats(band: Image.Image, source: Source) -> NDArray[np.float32]:
    """The samples of `band`, FLOAT32 [H,W], in the right byte order."""
    samples: NDArray[np.float32] = np.asarray(band)
    return samples.byteswap() if bytes(source.data[:2]) == b"MM" and _swaps_floats() else samples


def _bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    step = max(_BAND_PIXELS // image.width, 1)
    for top in range(0, image.height, step):
        yield top, image.crop((0, top, image.width, min(top + step, image.height)))


def _scale(image: Image.Image, source: Source) -> float:
    """For floats, the factor that scales them to 255: they range from 0 to 1, or to 255 if one is larger than 1. For 16-bit
    whole numbers, how many bits are used."""
    if image.mode.startswith("I;16"):
        return deep.used_bits(max(int(np.asarray(band).max()) for _, band in _bands(image)))
    if image.mode != "F":
        return 1.0
    top = 0.0
    for _, band in _bands(image):
        samples = _floats(band, source)
        top = max(top, float(samples.max(where=np.isfinite(samples), initial=0)))
    return 255.0 if top <= 1 else 1.0


def _paper(image: Image.Image) -> int:
    """The grey of the paper on which a transparent picture is laid."""
    if not image.has_transparency_data:
        return flatten.WHITE
    few = flatten.SAMPLE / (image.width * image.height)
    size = [max(round(side * min(few, 1.0) ** 0.5), 1) for side in image.size]
    bgra, alpha = _bgra(image.resize((size[0], size[1]), Image.Resampling.NEAREST))
    return flatten.paper(bgra, alpha)


def _bgra(band: Image.Image) -> tuple[U8, Alpha]:
    if band.mode == "La":
        band = band.convert("LA")
    if band.mode != "RGBa":
        band = band.convert("RGBA")
    alpha: Alpha = "premultiplied" if band.mode == "RGBa" else "straight"
    return cv2.cvtColor(np.asarray(band), cv2.COLOR_RGBA2BGRA), alpha  # type: ignore[return-value]


def _rgb(band: Image.Image, source: Source, scale: float, paper: int) -> U8:
    if band.mode == "F" or band.mode.startswith("I;16"):
        if band.mode == "F":
            grey = np.rint(np.nan_to_num(_floats(band, source) * scale, posinf=255).clip(0, 255)).astype(np.uint8)
        else:
            grey = deep.eight_bits(np.asarray(band), int(scale))
        return np.repeat((255 - grey if source.negative else grey)[..., None], 3, axis=2)
    if not band.has_transparency_data:
        return np.asarray(band.convert("RGB"))
    return flatten.band_on_paper(*_bgra(band), paper)
