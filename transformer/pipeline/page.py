"""A page on its way through the stages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ppocr.call import Call
from ppocr.contract import BundleFacts
from ppocr_api.document import Page
from transformer.algorithms.ctc import Reading
from transformer.algorithms.page_size import DEFAULT_MAX_PIXELS
from transformer.algorithms.ribbons import Ribbon
from transformer.parameters import Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import F32, I32, U8


async def _at_once(_: int) -> AbstractContextManager[object]:
    return nullcontext()


def _no_boxes() -> F32:
    return np.zeros((0, 4, 2), np.float32)


def _nothing() -> None:
    pass


@dataclass(slots=True)
class PageInWork:
    """A page and the results of the stages so far. Stages change it only on the event loop.

    image: U8 [H,W,3] RGB, upright after orient_page. detect may add a `margin` of this many pixels on each side.
    size: (H, W) of the image as it was sent. `angle`: by how many degrees clockwise the page is turned in it.
    boxes: F32 [N,4,2], corners in `image`, clockwise from the top left of the text. detect finds the top left by the shape of
        the box, except for boxes in `either_way` bool [N]. orient_lines turns the boxes of upside-down lines, and read_again
        may correct them.
    line_angles: I32 [N], with `line_angle_probabilities` F32 [N] and `unsure_lines` bool [N], where the network may be wrong.
    ribbons: curved lines. straighten appends them to the image, below the page, and their boxes to the end of `boxes`.
    readings: one per box; empty if nothing was read. `order` intp [N] sorts them in reading order.
    warnings: messages for the answer.
    large: whether work on the image takes long (transformer/threads.py).
    facts: facts of the version that should compute the page; after the first answer, of the one that did. `version` is the
        identity of that version, which computes the rest of the page, too; None before the first answer.
    max_line_pixels, max_page_pixels, max_detection_pixels: limits for all lines, for the page in detection, and for each part
        of it that is sent to detection.
    hold_lines: waits for memory, in bytes, for the line crops while they are read.
    detected: called when detection has answered, so that the page's room in the predictor's queue is free again.
    """

    call: Call
    parameters: Parameters
    facts: BundleFacts
    image: U8
    size: tuple[int, int]
    free_image: Callable[[], None]
    max_line_pixels: int
    max_page_pixels: int = 16_000_000
    max_detection_pixels: int = DEFAULT_MAX_PIXELS
    hold_lines: Callable[[int], Awaitable[AbstractContextManager[object]]] = _at_once
    detected: Callable[[], None] = _nothing
    large: bool = False
    version: str | None = None
    angle: int = 0
    margin: int = 0
    boxes: F32 = field(default_factory=_no_boxes)
    ribbons: list[Ribbon] = field(default_factory=list)
    either_way: NDArray[np.bool_] | None = None
    line_angles: I32 | None = None
    unsure_lines: NDArray[np.bool_] | None = None
    line_angle_probabilities: F32 | None = None
    readings: Sequence[Reading] = ()
    order: NDArray[np.intp] | None = None
    keep_image: bool = False
    warnings: list[str] = field(default_factory=list)

    def ribbon_of(self, box: int) -> Ribbon | None:
        """The curved line of box number `box`, or None."""
        number = box - (len(self.boxes) - len(self.ribbons))
        return self.ribbons[number] if number >= 0 else None

    def turn_lines(self, which: NDArray[np.bool_]) -> None:
        """Turns the boxes of lines by 180 degrees."""
        self.boxes[which] = np.roll(self.boxes[which], 2, axis=1)

    def forget_image(self) -> None:
        """Releases the image's memory, because no later stage needs it. A `View` may keep it longer."""
        if self.keep_image:
            return
        self.image = np.zeros((0, 0, 3), np.uint8)
        self.free_image()


@dataclass(frozen=True)
class View:
    """A callback of a wire format that needs more of a page than the document model has.

    `see` is called in a thread with the image's number in the request, the `PageInWork` after all stages, and the page.
    `pixels`: whether it needs the image, whose memory is then kept until the call.
    """

    see: Callable[[int, PageInWork, Page], None]
    pixels: bool = False
