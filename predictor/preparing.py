"""Running networks on sizes of input before requests bring them.

Engines prepare themselves for every new size, on a CPU for some 20 ms, and for longer on the very first; some keep what
they made in each stream. What streams prepare at the same time they share: a third less memory than one after the other.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from ppocr.contract import BundleFacts, Part, RecFacts
from ppocr_api.errors import InvalidRequest, PpocrError
from predictor.repository.shapes import Shape

log = logging.getLogger("ppocr.predictor")

#: A4 and receipts, upright and across, with a long side of 960.
USUAL_IMAGES = ((960, 736), (736, 960))
USUAL_WIDTHS = range(64, 513)
USUAL_COUNTS = (1, 2, 4)

#: Seconds without a forward after which no request is taken to be under way; and how long a preparation waits for that.
QUIET, PATIENCE = 0.2, 0.5

Sizes = Sequence[tuple[Part, Shape]]


class Preparable(Protocol):
    """A network, as far as it is needed here."""

    def prepare(self, shape: Shape) -> None: ...


Networks = Mapping[Part, Sequence[Preparable]]


def sizes_at_first(facts: BundleFacts, batch_pixels: int, batch_items: int) -> list[tuple[Part, Shape]]:
    """Sizes that any service is asked for, the usual ones first: pages, and the batches that the scheduler makes of lines.

    `batch_pixels` and `batch_items` bound those batches. Wider lines than such a batch has room for are too rare.
    """
    lines = sorted(_batches(facts.rec, batch_pixels, batch_items), key=lambda shape: not _is_usual(shape))
    images: list[Shape] = [(1, *image, 3) for image in USUAL_IMAGES]
    return [
        *(("det", image) for image in images[:1]),
        *(("rec", shape) for shape in lines[:1]),
        *(("det", image) for image in images[1:]),
        *(("rec", shape) for shape in lines[1:]),
    ]


def warm_up(networks: Networks, seconds: float, sizes: Sizes) -> int:
    """Runs the networks on `sizes` until `seconds` have passed; returns how many it got through."""
    deadline = time.monotonic() + seconds
    for done, (part, shape) in enumerate(sizes):
        if time.monotonic() >= deadline:
            return done
        _prepare(networks, part, shape)
    return len(sizes)


class Preparation:
    """Goes on with sizes in a thread of its own, while requests leave the networks idle.

    `quiet` says for how many seconds they have. Where they never do, a size is prepared for every PATIENCE seconds anyway:
    it is made ready once and no request has to wait for it, and memory is level from the first minute on.
    """

    def __init__(self, networks: Networks, sizes: Sizes, quiet: Callable[[], float]) -> None:
        self._networks = networks
        self._sizes = sizes
        self._quiet = quiet
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prepare", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when no network is used any more."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        try:
            for part, shape in self._sizes:
                if not self._may_go_on():
                    return
                _prepare(self._networks, part, shape)
        except PpocrError as error:
            # Requests of this size will get the same answer, and others aren't concerned.
            log.warning("sizes of input are no longer prepared for: %s", error)
            return
        log.info("prepared for %d further sizes in %.1f s", len(self._sizes), time.monotonic() - began)

    def _may_go_on(self) -> bool:
        """Waits for its turn; False where it was stopped meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while self._quiet() < QUIET and time.monotonic() < deadline:
            if self._stopping.wait(QUIET / 4):
                return False
        return not self._stopping.is_set()


def _prepare(networks: Networks, part: Part, shape: Shape) -> None:
    for network in networks[part]:
        # Sizes that another version was given, and that this one doesn't take, need no preparation.
        with contextlib.suppress(InvalidRequest):
            network.prepare(shape)


def _batches(facts: RecFacts, batch_pixels: int, batch_items: int) -> Iterator[Shape]:
    """Batches of lines, narrowest first, as the scheduler makes them where it makes powers of two alone."""
    widest = min(facts.max_width, batch_pixels // facts.height)
    for width in range(facts.min_width, widest + 1, facts.width_step):
        room = min(batch_items, batch_pixels // (facts.height * width))
        for count in (1 << power for power in range(room.bit_length())):
            yield count, facts.height, width, 3


def _is_usual(shape: Shape) -> bool:
    count, _, width, _ = shape
    return width in USUAL_WIDTHS and count in USUAL_COUNTS
