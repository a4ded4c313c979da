"""Adds a report to a file every few seconds while the service runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection
from pathlib import Path

from ppocr_api.errors import ConfigError
from transformer.reports.interval import interval
from transformer.reports.samples import Samples
from transformer.reports.text import report

log = logging.getLogger("ppocr.transformer")


class Tracer:
    """Writes to `path` from `start` until `close`; with an empty path it does nothing."""

    def __init__(self, path: str, seconds: float, routes: Collection[str]) -> None:
        self._path, self._seconds, self._routes = path, seconds, routes
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Raises ConfigError if the file can't be written."""
        if not self._path:
            return
        try:
            Path(self._path).parent.mkdir(parents=True, exist_ok=True)
            self._add("")
        except OSError as error:
            raise ConfigError(f"the tracer's file {self._path} can't be written: {error.strerror}") from error
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Ends with the report of what was left of the interval."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        before = Samples.here()
        try:
            while True:
                await asyncio.sleep(self._seconds)
                before = self._report(before)
        finally:
            self._report(before)

    def _report(self, before: Samples) -> Samples:
        now = Samples.here()
        try:
            self._add(f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{report(interval(before, now, self._routes))}")
        except OSError as error:
            log.warning("the tracer's file can't be written: %s", error.strerror)
        return now

    def _add(self, text: str) -> None:
        with Path(self._path).open("a", encoding="utf-8") as file:
            file.write(text)
