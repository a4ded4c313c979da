"""A network that is loaded into memory at its first use.

The orientation networks are in every bundle, but few requests ask for them. Loaded and warmed up they take about 60 MiB.
Their inputs have one size, so loading them takes only a tenth of a second, and there is little to warm up.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ppocr_api.errors import BundleError, EngineError, Unavailable
from predictor.engines.base import Answers, Network

if TYPE_CHECKING:
    from ppocr.contract import U8

log = logging.getLogger("ppocr.predictor")

#: How long to wait before another attempt to load a network whose files were wrong.
RETRY_SECONDS = 5.0


class NetworkAtFirstUse(Network):
    """Closes `network`, which was loaded only as a check, and calls `load` at the first call of `infer`.

    If `load` raises BundleError or OSError, `infer` raises Unavailable. The next attempt is made RETRY_SECONDS later at the
    earliest, because checking the files takes some tenths of a second.
    """

    def __init__(self, network: Network, load: Callable[[], Network]) -> None:
        super().__init__(network.facts)
        self.capabilities = network.capabilities
        network.close()
        self._load = load
        self._lock = threading.Lock()
        self._network: Network | None = None
        self._closed = False
        self._failed_at = -math.inf

    def _run(self, pixels: U8) -> Answers:
        return self._ready().infer(pixels)

    def _ready(self) -> Network:
        with self._lock:
            if self._closed:
                raise EngineError("the network is closed")
            if self._network is None:
                self._network = self._loaded()
            return self._network

    def _loaded(self) -> Network:
        if time.monotonic() - self._failed_at >= RETRY_SECONDS:
            try:
                network = self._load()
            except (BundleError, OSError) as error:
                self._failed_at = time.monotonic()
                log.error("the %s network can't be loaded for its first use: %s", self.facts.name, error)
            else:
                log.info("loaded the %s network at its first use", self.facts.name)
                return network
        raise Unavailable(
            f"the {self.facts.name} network can't be loaded: the bundle's files have changed since they were checked",
            RETRY_SECONDS,
        )

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._network is not None:
                self._network.close()
                self._network = None
