"""Load, unload and index of one bundle's versions, while requests are served.

A version is checked, loaded and warmed up in a thread. Then it becomes the default from one request to the next, and the
previous one is retired (predictor/versions.py). There is one load at a time, and none before all retired versions are
unloaded, so no more than one version is in memory besides those that serve. If a load fails, everything stays as it was.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from ppocr import telemetry
from ppocr.contract import BundleFacts
from ppocr_api.errors import BundleError, EngineOutOfMemory, InvalidRequest, NotFound, Unavailable
from predictor.bundle import Bundle
from predictor.repository import folders as on_disk
from predictor.repository import memory
from predictor.repository.failures import Failures
from predictor.repository.folders import Entry, version_order
from predictor.threads import in_thread
from predictor.versions import LoadedVersion, Versions

log = logging.getLogger("ppocr.predictor")

State = Literal["READY", "LOADING", "UNLOADING", "UNAVAILABLE"]
#: Checks, loads and warms up a bundle, in a thread.
Load = Callable[[Bundle], LoadedVersion]


@dataclass(frozen=True)
class Indexed:
    """One version, on disk or in memory. `reason` explains the state if it needs an explanation."""

    name: str
    version: str
    state: State
    reason: str = ""


class BundleRepository:
    """The versions of the bundle `name` in the folder `root`; `pinned` is the version to serve, "" the highest."""

    def __init__(
        self,
        root: Path,
        name: str,
        pinned: str,
        versions: Versions,
        load: Load,
        failures: Failures,
        estimate: memory.MemoryEstimate,
    ) -> None:
        self.name = name
        self.pinned = pinned
        self.failures = failures
        self._estimate = estimate
        self._root = root
        self._versions = versions
        self._load = load
        self._turn = asyncio.Lock()
        self._loading: Entry | None = None
        self._closed = False
        self._swaps: dict[str, asyncio.Task[BundleFacts]] = {}
        self._highest = max((version_order(facts.version) for facts in versions.loaded()), default=version_order(""))

    async def index(self) -> list[Indexed]:
        """All versions of all bundles on disk, and those in memory that are no longer on disk."""
        entries = await asyncio.to_thread(on_disk.scan, self._root)
        labels = {entry.label for entry in entries}
        gone = [facts for facts in (*self._versions.loaded(), *self._versions.leaving()) if facts.label not in labels]
        found = [(entry.name, entry.version, entry.problem) for entry in entries]
        found += [(facts.name, facts.version, "its folder is gone") for facts in gone]
        index = [self._indexed(*each) for each in found]
        telemetry.replace_series(telemetry.BUNDLE_STATE, [(each.name, each.version, each.state) for each in index])
        return index

    async def load(self, name: str, version: str = "") -> BundleFacts:
        """Loads `version`, else the pinned or the highest one, and makes it the default. Returns when requests go to it.

        A load that has begun runs to its end, whether or not the caller waits. Raises NotFound, InvalidRequest if the bundle
        is broken, Unavailable if there isn't enough memory for it.
        """
        return await self.swap_to(await self._wanted(name, version or self.pinned))

    async def swap_to(self, entry: Entry) -> BundleFacts:
        """As `load`, for a version that was found on disk."""
        swap = self._swaps.get(entry.label)
        if swap is None:
            swap = self._swaps[entry.label] = asyncio.create_task(self._swap(entry))
            swap.add_done_callback(lambda _: self._swaps.pop(entry.label, None))
        return await asyncio.shield(swap)

    async def unload(self, name: str, version: str = "") -> None:
        """Unloads `version`, or all. If none is left, the predictor isn't ready until one is loaded. Raises NotFound."""
        self._check_name(name)
        async with self._turn:
            there = [facts for facts in self._versions.loaded() if version in ("", facts.version)]
            if not there:
                raise NotFound(f"{name} has no version {version!r} in memory" if version else f"{name} isn't in memory")
            for facts in there:
                self._versions.retire(self._versions.serving(facts.identity))
                log.info("%s no longer serves", facts.label)
        await self._note_states()

    async def newer(self) -> list[Entry]:
        """The versions on disk that are higher than all that ever served here, from high to low."""
        entries = await asyncio.to_thread(on_disk.versions, self._root, self.name)
        return [entry for entry in reversed(entries) if version_order(entry.version) > self._highest]

    async def close(self, seconds: float) -> None:
        """Starts no further load. Waits at most `seconds` for a running one, whose version then isn't served."""
        self._closed = True
        if self._swaps:
            await asyncio.wait(self._swaps.values(), timeout=seconds)

    async def _wanted(self, name: str, version: str) -> Entry:
        self._check_name(name)
        try:
            entry = await asyncio.to_thread(on_disk.find, self._root, name, version)
        except BundleError as error:
            raise NotFound(error.message) from error
        if version not in ("", entry.version):
            raise NotFound(f"the repository is a single bundle, version {entry.version}; there is no {version!r}")
        return entry

    def _check_name(self, name: str) -> None:
        if name != self.name:
            raise NotFound(
                f"this predictor serves only the bundle {self.name!r}. To change the model, add a new "
                f"version of it; {name!r} can't be loaded"
            )

    async def _swap(self, entry: Entry) -> BundleFacts:
        async with self._turn:
            self._loading = entry
            try:
                await self._note_states()
                await self._versions.left()
                loaded = await self._serve(entry)
            except Exception as error:
                self._check_open()
                reason = await asyncio.to_thread(self.failures.add, entry, error)
                serving = ", ".join(facts.label for facts in self._versions.loaded()) or "nothing"
                no_room = isinstance(error, MemoryError | Unavailable | EngineOutOfMemory)
                kind = Unavailable if no_room else InvalidRequest
                raise kind(f"{entry.label} could not be loaded: {reason}. Served as before: {serving}") from error
            finally:
                self._loading = None
                await self._note_states()
        return loaded.facts

    async def _serve(self, entry: Entry) -> LoadedVersion:
        """Loads `entry` unless it is in memory, and makes it the default. If that fails, what was loaded is closed again."""
        loaded = self._in_memory(await asyncio.to_thread(entry.open))
        fresh = loaded is None
        if loaded is None:
            self._check_open()
            loaded = await in_thread(partial(self._load_checked, entry), "load")
        try:
            self._check_open()
            self._versions.activate(loaded)
        except Exception:
            if fresh and loaded.facts not in self._versions.loaded():
                await in_thread(loaded.close, "unload")
            raise
        self.failures.forget(entry)
        self._highest = max(self._highest, version_order(entry.version))
        log.info("%s serves from now on", entry.label)
        return loaded

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the predictor is shutting down")

    async def _note_states(self) -> None:
        """Brings the metric of the states up to date. A folder that can't be read must not stop a swap."""
        try:
            await self.index()
        except OSError as error:
            log.warning("the repository can't be read: %s", error.strerror)

    def _in_memory(self, bundle: Bundle) -> LoadedVersion | None:
        """The version, if it serves already. Raises InvalidRequest if it serves with other files."""
        for facts in self._versions.loaded():
            if facts.version == bundle.manifest.version:
                if facts.digest != bundle.digest:
                    raise InvalidRequest(
                        f"version {facts.version} already serves with different files than those in the repository now; give "
                        "the new files a new version, or unload this one first"
                    )
                return self._versions.serving(facts.identity)
        return None

    def _load_checked(self, entry: Entry) -> LoadedVersion:
        bundle = entry.open()
        memory.require(bundle, self._estimate.per_version(self._versions.in_memory()))
        began = time.monotonic()
        try:
            loaded = self._load(bundle)
        except BaseException:
            memory.release_freed()
            raise
        telemetry.BUNDLE_LOADS.inc()
        telemetry.BUNDLE_LOAD_SECONDS.set(time.monotonic() - began)
        return loaded

    def _indexed(self, name: str, version: str, problem: str) -> Indexed:
        label = f"{name}/{version}"
        if label in {facts.label for facts in self._versions.loaded()}:
            default = self._versions.serving().facts
            return Indexed(name, version, "READY", problem if default.label == label else f"beside {default.label}")
        if self._loading is not None and self._loading.label == label:
            return Indexed(name, version, "LOADING")
        if label in {facts.label for facts in self._versions.leaving()}:
            return Indexed(name, version, "UNLOADING")
        reason = problem or self.failures.reason(label)
        if not reason:
            reason = "not loaded" if name == self.name else f"this predictor serves {self.name}"
        return Indexed(name, version, "UNAVAILABLE", reason)
