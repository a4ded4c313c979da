"""Looks for new versions of the bundle on disk, and has them loaded.

A version is loaded once two scans in a row have found the same files, so that none is read while it is still being copied.
The highest version that loads is served. One that failed is tried again when its files have changed.
"""

from __future__ import annotations

import asyncio
import logging

from ppocr_api.errors import PpocrError
from predictor.repository.folders import Stamp
from predictor.repository.repository import BundleRepository

log = logging.getLogger("ppocr.predictor")


class Watch:
    """Looks for new versions every `seconds`, until it is closed."""

    def __init__(self, repository: BundleRepository, seconds: float) -> None:
        self._repository = repository
        self._seconds = seconds
        self._seen: dict[str, Stamp] = {}
        self._task = asyncio.create_task(self._run())

    async def look(self) -> None:
        """Looks once. Returns when a version that it found is loaded, or all have failed."""
        newer = await self._repository.newer()
        before = self._seen
        self._seen = {entry.label: await asyncio.to_thread(entry.stamp) for entry in newer}
        for entry in newer:
            if self._seen[entry.label] != before.get(entry.label) or self._repository.failures.is_known(entry):
                continue
            try:
                await self._repository.swap_to(entry)
                return
            except PpocrError as error:
                log.warning("the watched repository: %s", error.message)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self.look()
                await self._repository.index()  # for the metric of the states
            except Exception:
                log.exception("the repository could not be scanned; the next scan is in %g s", self._seconds)
