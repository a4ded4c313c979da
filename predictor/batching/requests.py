"""The units of the scheduler's work.

A request brings *blocks*, arrays [n,H,W,3] of n items of one size. While they wait they are *runs*; a batch takes
*pieces* of runs of one key. There is no object per item, so a line costs next to nothing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ppocr_api.errors import PpocrError
from ppocr_limits.shares import Share
from predictor.batching.slots import Network, Slot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8

#: What a network answers for a block or a batch: arrays whose first axis counts its items.
Outputs = tuple["NDArray[Any]", ...]


_NUMBERS = itertools.count()


class Key(NamedTuple):
    """Items with equal keys may share a batch: a network of one version, and the size in pixels."""

    slot: Slot
    height: int
    width: int


@dataclass(eq=False, slots=True)
class Run:
    """The items of one block that still wait: `block[start:]`."""

    request: Request
    index: int
    key: Key
    block: U8
    start: int = 0

    @property
    def items(self) -> int:
        return len(self.block) - self.start


class Forward(NamedTuple):
    """A batch as reported to one of its requests: `items` of the batch's `batch_items` belong to that request.

    `arrived` (of the request), `began` and `ended` (of the forward pass) are instants of `time.monotonic()`.
    """

    arrived: float
    began: float
    ended: float
    items: int
    batch_items: int
    batch_pixels: int


#: Called on the event loop for each batch with items of a request; must be quick and must not raise.
Told = Callable[[Forward], None] | None


class Request:
    """Blocks that are answered together. The answers are written only on the event loop."""

    __slots__ = (
        *(
            "_answers",
            "_missing",
            "arrived",
            "blocks",
            "deadline",
            "future",
            "items",
            "pixels",
            "runs",
            "share",
            "slot",
            "told",
        ),
    )

    def __init__(
        self,
        slot: Slot,
        blocks: Sequence[U8],
        future: asyncio.Future[list[Outputs]],
        arrived: float,
        deadline: float | None,
        share: Share = None,
        told: Told = None,
    ) -> None:
        self.slot = slot
        self.told = told
        #: Requests of one share take turns with others as if they were one. A request without a share gets one of its own.
        self.share = next(_NUMBERS) if share is None else share
        self.future = future
        self.arrived = arrived
        self.deadline = deadline
        self.blocks = blocks
        #: The waiting runs by the index of the block, in the order in which they are computed. Only the queue changes this.
        self.runs: dict[int, Run] = {}
        self.items = sum(len(block) for block in blocks)
        self.pixels = sum(block.size for block in blocks) // 3
        self._missing = self.items
        self._answers: list[list[tuple[int, Outputs]]] = [[] for _ in blocks]

    def expired(self, now: float) -> bool:
        return self.deadline is not None and now >= self.deadline

    def answer(self, index: int, start: int, outputs: Outputs) -> None:
        """Adds the outputs of items `start…` of block `index`; the last ones resolve the future."""
        self._answers[index].append((start, outputs))
        self._missing -= len(outputs[0])
        if self._missing == 0:
            self.future.set_result([_joined(parts) for parts in self._answers])


def _joined(parts: list[tuple[int, Outputs]]) -> Outputs:
    if len(parts) == 1:
        return parts[0][1]
    parts.sort(key=lambda part: part[0])
    return tuple(np.concatenate(arrays) for arrays in zip(*(outputs for _, outputs in parts), strict=True))


class Piece(NamedTuple):
    """Items [start, stop) of a run, which a batch has taken."""

    run: Run
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Pieces of one key, in the order in which they lie in the batch's array.

    `alone` says that nothing else was computed or waited when it was taken.
    """

    key: Key
    pieces: list[Piece]
    items: int
    oldest: float
    alone: bool = False

    @property
    def network(self) -> Network:
        return self.key.slot.alone if self.alone else self.key.slot.network

    @property
    def pixels(self) -> int:
        return self.items * self.key.height * self.key.width


def tell(batch: Batch, began: float, ended: float) -> None:
    """Calls the callbacks of the requests in a batch."""
    for run, start, stop in batch.pieces:
        if (told := run.request.told) is not None:
            told(Forward(run.request.arrived, began, ended, stop - start, batch.items, batch.pixels))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for items [start, stop) of a batch."""

    start: int
    stop: int
    result: Outputs | PpocrError
