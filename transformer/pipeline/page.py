"""A page on its way through the stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ppocr.call import Call
from ppocr.contract import BundleFacts
from ppocr_api.document import Page
from transformer.algorithms.ctc import Reading
from transformer.parameters import Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32, I32, U8


def _no_boxes() -> F32:
    return np.zeros((0, 4, 2), np.float32)


@dataclass(slots=True)
class PageInWork:
    """What is known of a page so far. Stages write it only on the event loop.

    `image` U8 [H,W,3] RGB is upright once orient_page has run; `size` is (H, W) of the image as it was sent, and `angle` how
    many degrees clockwise the page is turned in it. `boxes` F32 [N,4,2] are corners in `image`, from the top left of the text
    clockwise: orient_lines turns those of a line that stands upside down, and sets `line_angles` I32 [N] and `unsure_lines`
    bool [N], where its network may be wrong, and `line_angle_probabilities` F32 [N]. `readings` belong to the boxes, or are None
    where nothing was read, and `order` intp [N] sorts them as a person reads them.

    `facts` are those of the version that is expected to compute, and from the first answer on of the one that did: `version`
    is its identity, which all later networks of the page are asked for. The lines may have `max_line_pixels` in all.
    """

    call: Call
    parameters: Parameters
    facts: BundleFacts
    image: U8
    size: tuple[int, int]
    free_image: Callable[[], None]
    max_line_pixels: int
    version: str | None = None
    angle: int = 0
    boxes: F32 = field(default_factory=_no_boxes)
    line_angles: I32 | None = None
    unsure_lines: NDArray[np.bool_] | None = None
    line_angle_probabilities: F32 | None = None
    readings: Sequence[Reading] | None = None
    order: NDArray[np.intp] | None = None
    keep_image: bool = False

    def turn_lines(self, which: NDArray[np.bool_]) -> None:
        """Turns the boxes of lines by 180 degrees."""
        self.boxes[which] = np.roll(self.boxes[which], 2, axis=1)

    def forget_image(self) -> None:
        """Gives the image's memory back: no later stage looks at it. A view of its pixels may keep it longer."""
        if self.keep_image:
            return
        self.image = np.zeros((0, 0, 3), np.uint8)
        self.free_image()


@dataclass(frozen=True)
class View:
    """What a wire format wants to see of a page beyond the document model.

    `see` is called in a thread with the image's number in the request, the work as the stages left it, and the page. `pixels`
    says whether it needs the image, whose memory is kept that long.
    """

    see: Callable[[int, PageInWork, Page], None]
    pixels: bool = False
