"""A network that is loaded into memory at its first use.

The orientation networks are in every bundle, and few requests ask for them. Loaded and warmed up they take some 60 MiB.
Their inputs have one size, so that loading them takes a tenth of a second, and there is little to warm up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ppocr_api.errors import BundleError, EngineError
from predictor.engines.base import Answers, Network

if TYPE_CHECKING:
    from ppocr.contract import U8

log = logging.getLogger("ppocr.predictor")


class NetworkAtFirstUse(Network):
    """Closes `network`, whose loading was only a check, and calls `load` again at the first call of `infer`.

    Where `load` raises BundleError or OSError, `infer` raises EngineError, and the next call tries again.
    """

    def __init__(self, network: Network, load: Callable[[], Network]) -> None:
        super().__init__(network.facts)
        self.capabilities = network.capabilities
        network.close()
        self._load = load
        self._lock = threading.Lock()
        self._network: Network | None = None
        self._closed = False

    def _run(self, pixels: U8) -> Answers:
        return self._ready().infer(pixels)

    def _ready(self) -> Network:
        with self._lock:
            if self._closed:
                raise EngineError("the network is closed")
            if self._network is None:
                try:
                    self._network = self._load()
                except (BundleError, OSError) as error:
                    log.error("the %s network can't be loaded for its first use: %s", self.facts.name, error)
                    raise EngineError(
                        f"the {self.facts.name} network can't be loaded: the bundle's files have changed since its start"
                    ) from error
                log.info("loaded the %s network at its first use", self.facts.name)
            return self._network

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._network is not None:
                self._network.close()
                self._network = None
