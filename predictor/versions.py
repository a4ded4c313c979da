"""The versions of a bundle whose networks are in memory: which one serves, and how one that was replaced leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from ppocr import telemetry
from ppocr.contract import BundleFacts
from ppocr_api.errors import NotFound, Unavailable
from predictor.batching import NetworkSlot
from predictor.engines.base import Capabilities

log = logging.getLogger("ppocr.predictor")


@dataclass(frozen=True, eq=False)
class LoadedVersion:
    """One version: what is known of it, what it runs on, its two networks, and how to close them in the end."""

    facts: BundleFacts
    capabilities: Capabilities
    det: NetworkSlot
    rec: NetworkSlot
    close: Callable[[], None]


class Versions:
    """What is in memory. All methods belong to one event loop, and none of them waits but those that say so.

    Whoever uses a slot of an answer acquires it before the event loop goes on. `side_by_side` versions stay at a time; one
    that is swapped out still answers to its name for `grace_seconds`: lines follow the detection that found them.
    """

    def __init__(self, side_by_side: int = 1, grace_seconds: float = 10.0) -> None:
        self._side_by_side = side_by_side
        self._grace_seconds = grace_seconds
        self._serving: list[LoadedVersion] = []  # the last one is the default, the first one the longest here
        self._in_grace: list[LoadedVersion] = []
        self._leaving: dict[LoadedVersion, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()

    def serving(self, version: str | None = None) -> LoadedVersion:
        """The default, or `version`, by its number, name/number or identity; also where it is in its grace.

        Raises NotFound where no such version is in memory, Unavailable where none is.
        """
        if version is None:
            if not self._serving:
                raise Unavailable("no version of the model is loaded")
            return self._serving[-1]
        for loaded in (*reversed(self._serving), *self._in_grace):
            if loaded.facts.is_called(version):
                return loaded
        there = ", ".join(loaded.facts.label for loaded in self._serving) or "none"
        raise NotFound(f"there is no version {version!r} of the model here; versions that are: {there}")

    def loaded(self) -> list[BundleFacts]:
        """Those that serve, the default last."""
        return [loaded.facts for loaded in self._serving]

    def leaving(self) -> list[BundleFacts]:
        """Those that were swapped out, and whose memory isn't free yet."""
        return [loaded.facts for loaded in self._leaving]

    def in_memory(self) -> int:
        """How many serve or are leaving."""
        return len(self._serving) + len(self._leaving)

    def put_in(self, loaded: LoadedVersion) -> None:
        """Makes `loaded` the default from now on; of those beyond `side_by_side`, those longest here leave."""
        if loaded in self._serving:
            self._serving.remove(loaded)
        self._serving.append(loaded)
        while len(self._serving) > self._side_by_side:
            self.take_out(self._serving[0])
        self._tell()

    def take_out(self, loaded: LoadedVersion) -> None:
        """Lets `loaded` leave: after its grace it takes no more requests, and when the last is answered it is closed."""
        self._serving.remove(loaded)
        self._in_grace.append(loaded)
        self._leaving[loaded] = asyncio.create_task(self._leave(loaded))
        self._tell()

    async def left(self) -> None:
        """Waits until whatever was taken out has gone from memory."""
        while self._leaving:
            await asyncio.wait(self._leaving.values())

    async def close(self) -> None:
        """Closes all networks. Nothing uses them any more."""
        self._closing.set()
        for loaded in list(self._serving):
            self.take_out(loaded)
        await self.left()

    async def _leave(self, loaded: LoadedVersion) -> None:
        try:
            async with asyncio.timeout(self._grace_seconds):
                await self._closing.wait()
        except TimeoutError:
            pass
        self._in_grace.remove(loaded)
        for slot in (loaded.det, loaded.rec):
            await _drained(slot)
        try:
            await asyncio.to_thread(loaded.close)
        finally:
            del self._leaving[loaded]
            log.info("%s is gone from memory", loaded.facts.label)

    def _tell(self) -> None:
        telemetry.replace_series(telemetry.BUNDLE, [(facts.name, facts.version) for facts in self.loaded()])


async def _drained(slot: NetworkSlot) -> None:
    """Returns when nobody holds `slot` any more. The last one may let go of it on any thread."""
    loop, drained = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        loop.call_soon_threadsafe(drained.set)

    slot.retire(tell)
    await drained.wait()
