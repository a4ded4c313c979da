"""Computes a batch: gathers the pixels, runs the network, and finds the item that failed, if any."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ppocr_api.errors import EngineError, EngineOutOfMemory, PpocrError
from predictor.batching.requests import Batch, Outcome, Outputs
from predictor.batching.slots import Network

if TYPE_CHECKING:
    from ppocr.contract import U8

log = logging.getLogger(__name__)


class Gatherer:
    """Copies the pieces of a batch into one contiguous array. Each worker thread has one, which reuses its memory."""

    def __init__(self) -> None:
        self._buffer: U8 = np.empty(0, np.uint8)

    def gather(self, batch: Batch) -> U8:
        """UINT8 [N,H,W,3], valid until the next call. The items of a single run are not copied."""
        parts = [piece.run.block[piece.start : piece.stop] for piece in batch.pieces]
        if len(parts) == 1 and parts[0].flags.c_contiguous:
            return parts[0]
        shape = (batch.items, batch.key.height, batch.key.width, 3)
        size = batch.pixels * 3
        if self._buffer.size < size:
            self._buffer = np.empty(size, np.uint8)
        return np.concatenate(parts, out=self._buffer[:size].reshape(shape))


def outcomes(network: Network, pixels: U8, on_out_of_memory: Callable[[int], None]) -> list[Outcome]:
    """Runs `network` on `pixels` [N,H,W,3]; outcomes cover the N items in order, without gaps.

    If the network fails on a batch, it is run again in halves until the failing items are isolated. `on_out_of_memory` is
    called with the pixels of each batch that was too large.
    """
    return _halves(network, pixels, 0, len(pixels), on_out_of_memory)


def _halves(
    network: Network, pixels: U8, start: int, stop: int, on_out_of_memory: Callable[[int], None]
) -> list[Outcome]:
    try:
        return [Outcome(start, stop, _infer(network, pixels[start:stop]))]
    except _WrongCount as error:
        return [Outcome(start, stop, error)]
    except PpocrError as error:
        if stop - start == 1:
            return [Outcome(start, stop, error)]
        if isinstance(error, EngineOutOfMemory):
            on_out_of_memory(pixels[start:stop].size // 3)
        log.warning("a batch of %d items failed and is run again by halves: %s", stop - start, error)
        middle = (start + stop) // 2
    return [
        *_halves(network, pixels, start, middle, on_out_of_memory),
        *_halves(network, pixels, middle, stop, on_out_of_memory),
    ]


class _WrongCount(EngineError):
    """The network returned a wrong number of results; a smaller batch would not help."""


def _infer(network: Network, pixels: U8) -> Outputs:
    try:
        outputs = network.infer(pixels)
    except PpocrError:
        raise
    except MemoryError as error:
        raise EngineOutOfMemory("the predictor had no memory left for this batch") from error
    except Exception as error:
        log.exception("a network failed with an unexpected error")
        raise EngineError("the network failed on this input") from error
    counts = [len(output) for output in outputs]
    if not counts or any(count != len(pixels) for count in counts):
        raise _WrongCount(f"the network answered {counts} items for a batch of {len(pixels)}")
    return tuple(outputs)
