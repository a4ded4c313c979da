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
from transformer.algorithms.page_size import MOST_PIXELS
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

    `image` U8 [H,W,3] RGB is upright once orient_page has run; `size` is (H, W) of the image as it was sent, and `angle` how
    many degrees clockwise the page is turned in it. detect may add a `margin` of so many pixels on each side. `boxes` F32
    [N,4,2] are corners in `image`, from the top left of the text clockwise: detect tells by their shape where that is, except
    for those that are `either_way` bool [N]; orient_lines turns those of a line that stands upside down, and sets `line_angles`
    I32 [N], `line_angle_probabilities` F32 [N], and `unsure_lines` bool [N], where its network may be wrong; read_again has
    the last word. Curved lines are `ribbons` of the page: straighten adds them to the image, below the page, and their boxes
    there to `boxes`, as its last ones. `readings` belong to the boxes; there are none if nothing was read. `order` intp [N]
    sorts them as a person reads them. `warnings` go into the answer.

    `large` says that work on the image takes long (transformer/threads.py).

    `facts` are those of the version that is expected to compute, and from the first answer on of the one that did: `version`
    is its identity, which all later networks of the page are asked for. The lines may have `max_line_pixels` in all, the page
    `max_page_pixels` as detection looks at it, and each part of it that detection gets at once `max_detection_pixels`.
    `hold_lines` waits for the memory, in bytes, that lines take while they are read. `detected` is called once detection has
    answered: the page's room in the predictor's queue is free again.
    """

    call: Call
    parameters: Parameters
    facts: BundleFacts
    image: U8
    size: tuple[int, int]
    free_image: Callable[[], None]
    max_line_pixels: int
    max_page_pixels: int = 16_000_000
    max_detection_pixels: int = MOST_PIXELS
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
        """The curved line that box number `box` holds."""
        number = box - (len(self.boxes) - len(self.ribbons))
        return self.ribbons[number] if number >= 0 else None

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
