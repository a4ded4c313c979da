"""Converts the contract's flat arrays to the scheduler's blocks without a copy, and its answers back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import Answer, Items, NetworkFacts
from ppocr.serving.tensors import DTYPES
from ppocr_api.errors import EngineError, ImageTooLarge, InvalidRequest
from predictor.batching import Outputs

if TYPE_CHECKING:
    from ppocr.contract import U8


def blocks_of(network: NetworkFacts, items: Items, most: int | None = None) -> list[U8]:
    """The items as arrays [n,H,W,3], one for each stretch of equal sizes, which share memory with `items.pixels`.

    Raises InvalidRequest for sizes off the network's grid, and if sizes and pixels don't agree; ImageTooLarge for a page of
    more than `most` pixels.
    """
    pixels, sizes = items.pixels, items.sizes
    if pixels.dtype != np.uint8 or pixels.ndim != 1 or sizes.dtype.kind not in "iu" or sizes.shape[1:] != (2,):
        raise InvalidRequest(
            f"{network.name} takes pixels UINT8 [P] and sizes INT32 [N,2]; these are {pixels.dtype} "
            f"{list(pixels.shape)} and {sizes.dtype} {list(sizes.shape)}"
        )
    if not len(sizes):
        raise InvalidRequest(f"{network.name} takes at least one item; there is none")
    changes = np.flatnonzero((sizes[1:] != sizes[:-1]).any(axis=1)) + 1
    bounds = [0, *changes.tolist(), len(sizes)]
    shapes = []
    for first, after in itertools.pairwise(bounds):
        height, width = sizes[first].tolist()
        network.grid.check(network.name, height, width)
        if most is not None and network.grid.whole_pages and height * width > most:
            raise ImageTooLarge(
                f"{network.name} takes pages of at most {most} pixels here (max_detection_pixels); this is {height}x{width}"
            )
        shapes.append((after - first, height, width, 3))
    lengths = [count * height * width * 3 for count, height, width, _ in shapes]
    if len(pixels) != sum(lengths):
        raise InvalidRequest(f"items of these sizes have {sum(lengths)} bytes in pixels; there are {len(pixels)}")
    ends = itertools.accumulate(lengths)
    return [pixels[end - length : end].reshape(shape) for shape, length, end in zip(shapes, lengths, ends, strict=True)]


def answer_of(network: NetworkFacts, blocks: Sequence[U8], outputs: Sequence[Outputs], version: str) -> Answer:
    """The contract's answer from the scheduler's `outputs` for `blocks`. Raises EngineError if the facts list others."""
    counts = [answered[0].size // len(block) for block, answered in zip(blocks, outputs, strict=True)]
    for block, count, answered in zip(blocks, counts, outputs, strict=True):
        if any(array.size != count * len(block) for array in answered) or len(answered) != len(network.outputs):
            raise EngineError(f"the network {network.name} returned different outputs than its facts list")
    return Answer(
        {
            output.name: _flat(arrays, DTYPES[output.datatype])
            for output, arrays in zip(network.outputs, zip(*outputs, strict=True), strict=True)
        },
        np.repeat(np.array(counts, np.int32), [len(block) for block in blocks]),
        version,
    )


def _flat(arrays: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
    if len(arrays) == 1:
        return arrays[0].reshape(-1).astype(dtype, copy=False)
    return np.concatenate([array.reshape(-1) for array in arrays], dtype=dtype, casting="same_kind")
