"""The sizes of input that the networks were given lately: a new version is warmed up on the most frequent ones."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

from ppocr.contract import Part
from predictor.batching.slots import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8

Shape = tuple[int, int, int, int]

#: Sizes that are counted, of each network. When a further one comes all counts are halved and the rarest forgotten.
MOST = 512


class ShapesInUse:
    """Counts shapes [N,H,W,3] by network. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._counts: dict[Part, Counter[Shape]] = {part: Counter() for part in get_args(Part)}
        self._lock = threading.Lock()
        self._last = -math.inf

    def add(self, part: Part, shape: Shape) -> None:
        with self._lock:
            counts = self._counts[part]
            counts[shape] += 1
            if len(counts) > MOST:
                halves = Counter({each: count // 2 for each, count in counts.items() if count > 1})
                self._counts[part] = Counter(dict(halves.most_common(MOST // 2)))

    def usual(self) -> list[tuple[Part, Shape]]:
        """All that are counted, the most frequent of each network first, the networks in turn."""
        with self._lock:
            ranked = [
                (rank, part, shape)
                for part, counts in self._counts.items()
                for rank, (shape, _) in enumerate(counts.most_common())
            ]
        return [(part, shape) for _, part, shape in sorted(ranked, key=lambda entry: entry[0])]

    def quiet(self) -> float:
        """Seconds since a network was last given something, or answered."""
        return time.monotonic() - self._last

    def touch(self) -> None:
        self._last = time.monotonic()

    def watched(self, part: Part, network: Network) -> Network:
        """`network`, with its inputs counted."""
        return _Watched(part, network, self)


class _Watched:
    def __init__(self, part: Part, network: Network, shapes: ShapesInUse) -> None:
        self._part = part
        self._network = network
        self._shapes = shapes

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        count, height, width, channels = pixels.shape
        self._shapes.add(self._part, (count, height, width, channels))
        self._shapes.touch()
        try:
            return self._network.infer(pixels)
        finally:
            self._shapes.touch()
