"""Counts the input sizes that the networks were given recently: a new version is warmed up on the most frequent ones."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from predictor.batching.slots import Network
from predictor.engines.sizes import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8

#: The most sizes that are counted for each network. When there are more, all counts are halved and the rarest are forgotten.
MAX_SIZES = 512


class ShapesInUse:
    """Counts shapes [N,H,W,3] by the network's name. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[Shape]] = {}
        self._lock = threading.Lock()
        self._running = 0
        self._last = -math.inf

    def add(self, network: str, shape: Shape) -> None:
        with self._lock:
            counts = self._counts.setdefault(network, Counter())
            counts[shape] += 1
            if len(counts) > MAX_SIZES:
                halves = Counter({each: count // 2 for each, count in counts.items() if count > 1})
                self._counts[network] = Counter(dict(halves.most_common(MAX_SIZES // 2)))

    def usual(self) -> list[tuple[str, Shape]]:
        """All sizes that are counted, the most frequent of each network first, alternating between networks."""
        with self._lock:
            ranked = [
                (rank, network, shape)
                for network, counts in self._counts.items()
                for rank, (shape, _) in enumerate(counts.most_common())
            ]
        return [(network, shape) for _, network, shape in sorted(ranked, key=lambda entry: entry[0])]

    def quiet(self) -> float:
        """Seconds since a network last answered; 0 while one runs, however long."""
        with self._lock:
            return 0.0 if self._running else time.monotonic() - self._last

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Wraps a forward pass, for `quiet`."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._last = time.monotonic()

    def watched(self, name: str, network: Network) -> Network:
        """`network`, with its inputs counted."""
        return _Watched(name, network, self)


class _Watched:
    def __init__(self, name: str, network: Network, shapes: ShapesInUse) -> None:
        self._name = name
        self._network = network
        self._shapes = shapes

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        count, height, width, channels = pixels.shape
        self._shapes.add(self._name, (count, height, width, channels))
        with self._shapes.running():
            return self._network.infer(pixels)
