"""The versions of a bundle in memory: which one serves, and how a replaced one is unloaded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ppocr import telemetry
from ppocr.contract import NO_SUCH_VERSION, NOTHING_LOADED, BundleFacts, NetworkFacts
from ppocr_api.errors import NotFound, Unavailable
from predictor.batching import NetworkSlot
from predictor.engines.base import Capabilities
from predictor.threads import in_thread

log = logging.getLogger("ppocr.predictor")


@dataclass(frozen=True, eq=False)
class LoadedVersion:
    """One version: its facts, how the engine runs it, its networks by name, and a function that closes them."""

    facts: BundleFacts
    capabilities: Capabilities
    networks: Mapping[str, NetworkSlot]
    close: Callable[[], None]

    def network(self, name: str) -> tuple[NetworkSlot, NetworkFacts]:
        """Raises NotFound if the version has no network of that name."""
        facts, slot = self.facts.network(name), self.networks.get(name)
        if facts is None or slot is None:
            raise NotFound(f"{self.facts.label} has no network {name!r}; it has {', '.join(self.networks)}")
        return slot, facts


class Versions:
    """The versions in memory. All methods must be called on one event loop.

    A caller that uses a slot of a returned version must acquire it before the event loop continues. `side_by_side` versions
    serve at the same time. A replaced version still answers requests that name it for `grace_seconds`, because the lines of
    a page are read by the version that found them.
    """

    def __init__(self, side_by_side: int = 1, grace_seconds: float = 10.0) -> None:
        self._side_by_side = side_by_side
        self._grace_seconds = grace_seconds
        self._serving: list[LoadedVersion] = []  # the oldest first; the last one is the default
        self._in_grace: list[LoadedVersion] = []
        self._leaving: dict[LoadedVersion, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()
        self._followers: list[Callable[[], None]] = []

    def serving(self, version: str | None = None) -> LoadedVersion:
        """The default, or `version`, by its number, name/number or identity; also one in its grace period.

        Raises NotFound if no such version is in memory, Unavailable if `version` is None and none serves.
        """
        if version is None:
            if not self._serving:
                raise Unavailable(NOTHING_LOADED)
            return self._serving[-1]
        for loaded in self._answering():
            if loaded.facts.is_called(version):
                return loaded
        there = ", ".join(loaded.facts.label for loaded in self._serving) or "none"
        raise NotFound(f"{NO_SUCH_VERSION} {version!r} of the model here; there are: {there}")

    def loaded(self) -> list[BundleFacts]:
        """The serving versions, the default last."""
        return [loaded.facts for loaded in self._serving]

    def leaving(self) -> list[BundleFacts]:
        """The retired versions whose memory isn't free yet."""
        return [loaded.facts for loaded in self._leaving]

    def in_memory(self) -> int:
        """How many versions serve or are leaving."""
        return len(self._serving) + len(self._leaving)

    def networks(self) -> dict[str, NetworkFacts]:
        """The networks of all versions that answer, by name; if several have a network of one name, that of the newest."""
        answering = [loaded.facts for loaded in self._answering()]
        return {network.name: network for facts in reversed(answering) for network in facts.networks}

    def follow(self, changed: Callable[[], None]) -> None:
        """Calls `changed` now, and on the event loop whenever other versions answer than before."""
        self._followers.append(changed)
        changed()

    def activate(self, loaded: LoadedVersion) -> None:
        """Makes `loaded` the default. If there are more than `side_by_side` versions, the oldest are retired."""
        if loaded in self._serving:
            self._serving.remove(loaded)
        self._serving.append(loaded)
        while len(self._serving) > self._side_by_side:
            self.retire(self._serving[0])
        self._tell()

    def retire(self, loaded: LoadedVersion) -> None:
        """After its grace period, `loaded` takes no more requests, and it is closed when the last one is answered."""
        self._serving.remove(loaded)
        self._in_grace.append(loaded)
        self._leaving[loaded] = asyncio.create_task(self._leave(loaded))
        self._tell()

    async def left(self) -> None:
        """Waits until all retired versions are unloaded."""
        while self._leaving:
            await asyncio.wait(self._leaving.values())

    async def close(self) -> None:
        """Retires all versions without a grace period, and waits until their networks are closed."""
        self._closing.set()
        for loaded in list(self._serving):
            self.retire(loaded)
        await self.left()

    async def _leave(self, loaded: LoadedVersion) -> None:
        try:
            async with asyncio.timeout(self._grace_seconds):
                await self._closing.wait()
        except TimeoutError:
            pass
        self._in_grace.remove(loaded)
        self._tell()
        for slot in loaded.networks.values():
            await _drained(slot)
        try:
            await in_thread(loaded.close, "unload")
        finally:
            del self._leaving[loaded]
            log.info("%s is unloaded", loaded.facts.label)

    def _answering(self) -> list[LoadedVersion]:
        """The default first; versions in their grace period last, the most recently retired one first."""
        return [*reversed(self._serving), *reversed(self._in_grace)]

    def _tell(self) -> None:
        telemetry.replace_series(telemetry.BUNDLE, [(facts.name, facts.version) for facts in self.loaded()])
        for changed in self._followers:
            changed()


async def _drained(slot: NetworkSlot) -> None:
    """Returns when nobody holds `slot` any more. The last holder may release it on any thread."""
    loop, drained = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        loop.call_soon_threadsafe(drained.set)

    slot.retire(tell)
    await drained.wait()
