"""The predictor in this process: checks items and computes them in batches with items of other requests."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable

from ppocr.contract import Answer, BundleFacts, Items
from ppocr.listen import PageSettings
from ppocr_api.errors import PpocrError
from predictor.batching import Scheduler, Stats
from predictor.blocks import answer_of, blocks_of
from predictor.traced import traced
from predictor.versions import Versions

log = logging.getLogger("ppocr.predictor")

#: How long `close` waits for running forward passes after it has given up waiting work, and then for the networks to close.
FORWARD_SECONDS = CLOSE_SECONDS = 5.0


class LocalPredictor:
    """`ppocr.contract.Predictor` on networks in memory.

    `hang_seconds` is how long a forward pass may run before it counts as hung, `max_page_pixels` how large a page may be.
    """

    def __init__(
        self,
        versions: Versions,
        scheduler: Scheduler,
        hang_seconds: float = 60.0,
        max_page_pixels: int = PageSettings.max_detection_pixels,
    ) -> None:
        self._versions = versions
        self._scheduler = scheduler
        self._hang_seconds = hang_seconds
        self._max_page_pixels = max_page_pixels
        self._open = True
        self._closing = contextlib.ExitStack()

    async def facts(self, version: str | None = None) -> BundleFacts:
        return self._versions.serving(version).facts

    async def run(
        self, network: str, items: Items, *, version: str | None = None, deadline: float | None = None, share: str = ""
    ) -> Answer:
        """As `ppocr.contract.Predictor.run`. Raises as `Versions.serving`, `blocks_of` and `Scheduler.submit`."""
        loaded = self._versions.serving(version)
        slot, facts = loaded.network(network)
        blocks = blocks_of(facts, items, self._max_page_pixels)
        told = traced(loaded.facts, network)
        outputs = await self._scheduler.submit(slot, blocks, deadline, share or None, told)
        return answer_of(facts, blocks, outputs, loaded.facts.identity)

    async def ready(self) -> bool:
        """Whether a version serves, new work is accepted, and no forward pass has hung."""
        if not self._open or not self.alive():
            return False
        try:
            self._versions.serving()
        except PpocrError:
            return False
        return True

    def alive(self) -> bool:
        """False when a forward pass has hung, and only a restart helps. For liveness probes, from any thread."""
        return self._scheduler.stats().running_seconds < self._hang_seconds

    def stats(self) -> Stats:
        """The scheduler's state, for metrics and autoscalers. Networks without waiting work have the value 0."""
        stats, none = self._scheduler.stats(), dict.fromkeys(self._versions.networks(), 0)
        return dataclasses.replace(
            stats, queue_items={**none, **stats.queue_items}, queue_pixels={**none, **stats.queue_pixels}
        )

    def on_close(self, call: Callable[[], None]) -> None:
        """Calls `call` when the predictor is closed."""
        self._closing.callback(call)

    async def close(self, drain_seconds: float = 30.0) -> None:
        """Refuses new work, computes accepted work for at most `drain_seconds`, and then fails what still waits.

        If a forward pass doesn't end, the networks stay open, because it uses them. Returns at most FORWARD_SECONDS plus
        CLOSE_SECONDS after that time.
        """
        self._open = False
        self._closing.close()
        try:
            async with asyncio.timeout(drain_seconds):
                await self._scheduler.close()
        except TimeoutError:
            try:
                async with asyncio.timeout(FORWARD_SECONDS):
                    await self._scheduler.close(cancel=True)
            except TimeoutError:
                return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._versions.close()
        except TimeoutError:
            log.warning("a network could not be closed in %g s", CLOSE_SECONDS)
