"""What a format's reader passes on: checked facts from the header, and the bytes that a decoder may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ppocr_api.errors import InvalidImage

#: How the fourth channel, if there is one, mixes with the background. "unless_all_zero" is straight, but opaque
#: where every alpha is zero: writers of 32-bit BMP often leave the byte empty.
Alpha = Literal["none", "straight", "premultiplied", "unless_all_zero"]

#: Metadata is a few dozen blocks in real files. A file of millions of tiny ones would only cost time.
MAX_BLOCKS = 10_000


@dataclass(frozen=True)
class Source:
    """One image that passed its format's checks.

    data: the file as the decoder gets it, without metadata, further frames and trailing bytes where those were a risk.
    width, height: as stored, before the orientation is applied; the decoder must find the same.
    memory: bytes that decoding holds at its peak.
    orientation: 1 to 8 as in EXIF.
    alpha: "none" decodes straight to RGB.
    transparent_grey: the grey value that PNG declares transparent, in 8 or 16 bits as OpenCV returns samples.
    deep: OpenCV returns 16-bit grey or RGB.
    canvas: (width, height, x, y) of a white page that the image is laid on, at x, y.
    negative: white is 0 in grey of 16 bits or floats.
    further: the file holds further pages, which aren't read.
    """

    format: str
    data: bytes | memoryview
    width: int
    height: int
    memory: int
    orientation: int = 1
    alpha: Alpha = "none"
    transparent_grey: int | None = None
    deep: bool = False
    canvas: tuple[int, int, int, int] | None = None
    negative: bool = False
    further: bool = False


def peak_memory(pixels: int, held: int, orientation: int, decoder: int = 0) -> int:
    """Peak memory, in bytes, of decoding `pixels` pixels that OpenCV returns with `held` bytes each.

    The `decoder` bytes of the decoder itself are needed beside its picture. The picture is then copied into a numpy array,
    and flattened or turned into another array of three bytes per pixel.
    """
    turned = 6 * pixels if orientation > 1 else 0
    return max(decoder + held * pixels, 2 * held * pixels, (held + 3) * pixels, turned)


def pillow_memory(pixels: int, held: int, orientation: int, kept: int, decoder: int = 0) -> int:
    """Peak memory, in bytes, of decoding `pixels` pixels for which Pillow holds `held` bytes each.

    They are converted to RGB in bands of rows, after the `decoder` bytes of the decoder itself are free again. The `kept`
    bytes are needed all the time.
    """
    turned = 6 * pixels if orientation > 1 else 0
    return max(kept + decoder + held * pixels, kept + (held + 3) * pixels, turned)


def truncated(format: str, what: str) -> InvalidImage:
    """The error for a file that ends too early; `what` says where."""
    return InvalidImage(f"the {format} file is truncated: {what}")


def damaged(format: str, what: str) -> InvalidImage:
    """The error for a file that breaks its format's rules; `what` says how."""
    return InvalidImage(f"the {format} file is damaged: {what}")


def refused(what: str, instead: str) -> InvalidImage:
    """The error for a file that may be valid and isn't supported; `instead` says what to send."""
    return InvalidImage(f"{what} is not supported: send {instead}")


def check_not_empty(format: str, width: int, height: int) -> None:
    """Raises InvalidImage for a picture without pixels."""
    if width < 1 or height < 1:
        raise damaged(format, f"its header says {width} x {height} pixels")
