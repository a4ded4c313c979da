"""An image of a request that is sent as pixels, so nothing is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transformer.image_file import ImageFile
from transformer.images import ImageLimits, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8


class PixelFile(ImageFile):
    """`pixels` UINT8 [H,W,3] RGB, upright. It is admitted and limited like a file."""

    def __init__(self, pixels: NDArray[np.uint8], where: str = "") -> None:
        super().__init__(b"", where)
        self._pixels = np.ascontiguousarray(pixels)

    def inspect(self, limits: ImageLimits) -> Source:
        """Its size, checked. Raises ImageTooLarge."""
        height, width = self._pixels.shape[:2]
        limits.check_size(width, height)
        limits.check_memory(self._pixels.size)
        return Source("pixels", self._pixels.data.cast("B"), width, height, self._pixels.size)

    def decode(self, source: Source) -> U8:
        """RGB U8 [H,W,3]."""
        return np.frombuffer(source.data, np.uint8).reshape(source.height, source.width, 3)
