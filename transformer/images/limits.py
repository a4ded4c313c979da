"""How large an image may be. Checked against the header, before a decoder allocates anything."""

from __future__ import annotations

from dataclasses import dataclass

from ppocr_api.errors import ImageTooLarge

MIB = 1024 * 1024


@dataclass(frozen=True)
class ImageLimits:
    """Limits of one image.

    max_bytes: of the file.
    max_pixels: width x height. 64 million holds an A4 page at 800 dpi (9354 x 6614), and its RGB takes 192 MB,
        twice that while OpenCV copies it into a numpy array.
    max_side: pixels; libjpeg reads at most 65,500, and no page of text is longer.
    max_memory: bytes that decoding holds at its peak, computed from the header. A progressive JPEG keeps its coefficients,
        and 16-bit pixels with alpha take eight bytes each, so these reach it before max_pixels.
    """

    max_bytes: int = 64 * MIB
    max_pixels: int = 64_000_000
    max_side: int = 65_500
    max_memory: int = 512 * MIB

    def check_bytes(self, size: int) -> None:
        """Raises ImageTooLarge if the file has more than `max_bytes`."""
        if size > self.max_bytes:
            raise ImageTooLarge(f"the image has {size:,} bytes, and at most {self.max_bytes:,} are allowed")

    def check_size(self, width: int, height: int) -> None:
        """Raises ImageTooLarge if a side or the area is over its limit."""
        if max(width, height) > self.max_side:
            raise ImageTooLarge(
                f"the image has {width} x {height} pixels, and a side may have at most {self.max_side:,}"
            )
        if width * height > self.max_pixels:
            raise ImageTooLarge(
                f"the image has {width} x {height} = {width * height:,} pixels, and at most {self.max_pixels:,} are allowed"
            )

    def check_memory(self, memory: int) -> None:
        """Raises ImageTooLarge if decoding would hold more than `max_memory` bytes."""
        if memory > self.max_memory:
            raise ImageTooLarge(
                f"decoding the image would take {memory // MIB} MiB, and at most {self.max_memory // MIB} MiB are allowed: "
                "send fewer pixels, or 8-bit pixels without alpha in a file that is not progressive"
            )
