"""Runs networks on input sizes before requests use them.

Engines compile kernels for every new size, on a CPU in about 20 ms, longer for the very first; some keep them
in each stream. Streams share what they compile at the same time: a third less memory than one after the other.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Protocol

from ppocr.contract import Grid, NetworkFacts
from ppocr.listen import PageSettings
from ppocr_api.errors import InvalidRequest, PpocrError
from predictor.engines.sizes import Shape, usual_pages

log = logging.getLogger("ppocr.predictor")

#: Of a page: no service computes larger ones, unless its settings say so.
MOST_PIXELS = PageSettings.max_detection_pixels
USUAL_WIDTHS = range(64, 513)
USUAL_COUNTS = (1, 2, 4)
#: Of a network: PP-OCR's have 80. A grid in steps of one pixel would take days to prepare.
MOST_SIZES = 500

#: After how many seconds without a forward pass the networks count as idle; and how long a preparation waits for that.
QUIET, PATIENCE = 0.2, 0.5

#: Inputs by the network's name.
Sizes = Sequence[tuple[str, Shape]]


class Preparable(Protocol):
    """The part of a network's interface that is needed here."""

    def prepare(self, shape: Shape) -> None: ...


Networks = Mapping[str, Sequence[Preparable]]


def sizes_at_first(
    networks: Sequence[NetworkFacts], batch_pixels: int, batch_items: int, usual_alone: bool = False
) -> list[tuple[str, Shape]]:
    """The input sizes of any service, the usual ones of each network first, alternating between networks.

    These are two page sizes, and the batches that the scheduler makes of lines and other small items, limited by
    `batch_pixels` and `batch_items`. Lines too wide for such a batch are rare and left out. `usual_alone` also leaves out
    unusual widths, for engines that need seconds per size.
    """
    by_network = [
        [
            (network.name, shape)
            for shape in _sizes(network.grid, batch_pixels, batch_items)
            if not usual_alone or network.grid.whole_pages or network.grid.width.fixed or shape[2] in USUAL_WIDTHS
        ]
        for network in networks
    ]
    return [each for turn in zip_longest(*by_network) for each in turn if each is not None]


def sizes_in_use(usual: Sizes, at_first: Sizes) -> list[tuple[str, Shape]]:
    """The sizes to warm up a new version on, while another one serves, whose `usual` sizes are known.

    Networks without requests so far come first, with one size each, because one of them may be new.
    """
    known = {name for name, _ in usual}
    new = {name: shape for name, shape in reversed(at_first) if name not in known}
    return [*new.items(), *usual]


def warm_up(networks: Networks, seconds: float, sizes: Sizes) -> int:
    """Runs the networks on `sizes` until `seconds` have passed; returns how many sizes were run."""
    deadline = time.monotonic() + seconds
    for done, (name, shape) in enumerate(sizes):
        if time.monotonic() >= deadline:
            return done
        _prepare(networks, name, shape)
    return len(sizes)


class Preparation:
    """Prepares more sizes in a background thread while the networks are idle.

    `quiet` returns for how many seconds they have been idle. If they never are, one size is prepared every PATIENCE seconds
    anyway, so that no request has to wait for it, and memory use is constant after the first minute.
    """

    def __init__(self, networks: Networks, sizes: Sizes, quiet: Callable[[], float]) -> None:
        self._networks = networks
        self._sizes = sizes
        self._quiet = quiet
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prepare", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops, and returns when no network is in use."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        try:
            for name, shape in self._sizes:
                if not self._wait_for_turn():
                    return
                _prepare(self._networks, name, shape)
        except PpocrError as error:
            # Requests of this size will fail in the same way; others aren't affected.
            log.warning("sizes of input are no longer prepared for: %s", error)
            return
        log.info("prepared for %d further sizes in %.1f s", len(self._sizes), time.monotonic() - began)

    def _wait_for_turn(self) -> bool:
        """Waits for its turn; False if it was stopped meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while self._quiet() < QUIET and time.monotonic() < deadline:
            if self._stopping.wait(QUIET / 4):
                return False
        return not self._stopping.is_set()


def _prepare(networks: Networks, name: str, shape: Shape) -> None:
    # Networks that another version has, and sizes that this one doesn't take, need no preparation.
    for network in networks.get(name, ()):
        with contextlib.suppress(InvalidRequest):
            network.prepare(shape)


def _sizes(grid: Grid, batch_pixels: int, batch_items: int) -> list[Shape]:
    if grid.whole_pages:
        return [shape for shape in usual_pages(grid) if shape[1] * shape[2] <= MOST_PIXELS]
    return sorted(_batches(grid, batch_pixels, batch_items), key=lambda shape: not _is_usual(shape))[:MOST_SIZES]


def _batches(grid: Grid, batch_pixels: int, batch_items: int) -> Iterator[Shape]:
    """Batches of one height, narrowest first, as made by a scheduler with `powers_of_two`."""
    height, width = grid.height.minimum, grid.width
    # An item larger than a batch runs alone, so there is only one size to prepare.
    widest = width.maximum if width.fixed else min(width.maximum, batch_pixels // height)
    for each in range(width.minimum, widest + 1, width.step):
        room = min(batch_items, max(1, batch_pixels // (height * each)))
        for count in (1 << power for power in range(room.bit_length())):
            yield count, height, each, 3


def _is_usual(shape: Shape) -> bool:
    count, _, width, _ = shape
    return width in USUAL_WIDTHS and count in USUAL_COUNTS
