"""Resource use of pods during a step: processors and queues, from their metrics."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

#: How often the queues are looked at [seconds].
CHECK_INTERVAL_SECONDS = 0.5
_SAMPLE = re.compile(r"^(process_cpu_seconds_total|ppocr_queue_pixels)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
Sample = dict[str, float]


@dataclass(frozen=True)
class Part:
    """One of the services of a track: `pods` of it, each with `request` processors, whose metrics are at `urls`."""

    name: str
    pods: int = 1
    request: float = 0.0
    urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """Of all pods of a part together: processors in use, and pixels that waited in the mean. None if nothing says so."""

    part: str
    pods: int
    request: float
    cores: float | None
    queue_pixels: float | None


@dataclass
class Watch:
    """Context manager that samples the parts' metrics."""

    parts: Sequence[Part]
    headers: Mapping[str, str]
    _first: dict[str, tuple[float, float]] = field(default_factory=dict)
    _last: dict[str, tuple[float, float]] = field(default_factory=dict)
    _queues: dict[str, list[float]] = field(default_factory=dict)

    async def __aenter__(self) -> Watch:
        self._client = httpx.AsyncClient(headers=dict(self.headers), timeout=5.0)
        await self._look()
        self._first = dict(self._last)
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._look()
        await self._client.aclose()

    def usage(self) -> list[Usage]:
        """Of each part, since the block was entered."""
        return [
            Usage(part.name, part.pods, part.request, self._cores(part.name), self._queue(part.name))
            for part in self.parts
        ]

    def _cores(self, part: str) -> float | None:
        if part not in self._first or part not in self._last or self._last[part][0] <= self._first[part][0]:
            return None
        (began, before), (ended, after) = self._first[part], self._last[part]
        return (after - before) / (ended - began) if after >= before else None

    def _queue(self, part: str) -> float | None:
        seen = self._queues.get(part)
        return sum(seen) / len(seen) if seen else None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_INTERVAL_SECONDS)
            await self._look()

    async def _look(self) -> None:
        for part in self.parts:
            try:
                texts = [(await self._client.get(url)).text for url in part.urls]
            except httpx.HTTPError:
                continue
            samples = [sample(text) for text in texts]
            if samples and all("process_cpu_seconds_total" in each for each in samples):
                self._last[part.name] = time.monotonic(), sum(each["process_cpu_seconds_total"] for each in samples)
            if samples and all("ppocr_queue_pixels" in each for each in samples):
                self._queues.setdefault(part.name, []).append(sum(each["ppocr_queue_pixels"] for each in samples))


def sample(text: str) -> Sample:
    """Processor seconds and waiting pixels in the text of a pod's metrics; those of all networks together."""
    found: Sample = {}
    for name, value in _SAMPLE.findall(text):
        found[name] = found.get(name, 0.0) + float(value)
    return found
