"""Sends requests at a given rate, without waiting for earlier answers."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from ppocr_api.errors import PpocrError
from ppocr_client.images import content_type
from ppocr_client.v1 import page_of

#: The answer's header that names the deployment it came from.
TRACK_HEADER = "x-ppocr-track"
REFUSED_STATUSES = (429, 503)
#: A step ends early when this share of what it will send is bad or late: it can't hold any more.
MAX_BAD_SHARE = 0.2


@dataclass(frozen=True)
class Target:
    """The service to measure: its `url`, and its name in the results."""

    name: str
    url: str
    model: str
    headers: Mapping[str, str]
    timeout: float


@dataclass
class Counted:
    """Results of the requests of a step. `seconds` are times from when a request was due until it was answered."""

    sent: int = 0
    seconds: list[float] = field(default_factory=list)
    lines: int = 0
    refused: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    by: Counter[str] = field(default_factory=Counter)
    took: float = 0.0

    def percentile(self, share: float) -> float:
        """Seconds within which that share of the answers came; infinite if none came."""
        if not self.seconds:
            return float("inf")
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


async def steadily(
    target: Target, images: Sequence[bytes], rate: float, seconds: float, within: float, seed: int
) -> Counted:
    """Sends `rate` images a second for `seconds`, at random instants (a Poisson process), and waits for all answers.

    It stops early where too many were answered later than `within` seconds, refused, or failed.
    """
    counted, due, random_ = Counted(), 0.0, random.Random(seed)
    most = max(1, int(rate * seconds * MAX_BAD_SHARE))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with httpx.AsyncClient(headers=dict(target.headers), limits=limits, timeout=target.timeout) as client:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for image in itertools.cycle(images):
                due += random_.expovariate(rate)
                late = sum(took > within for took in counted.seconds)
                if due > seconds or counted.refused + counted.failed.total() + late > most:
                    break
                await asyncio.sleep(max(0.0, began + due - time.monotonic()))
                counted.sent += 1
                group.create_task(_send(client, target, image, began + due, counted))
        counted.took = max(time.monotonic() - began, seconds)
    return counted


async def one_by_one(target: Target, images: Sequence[bytes]) -> Counted:
    """Each image alone: how long it takes if nothing waits. The first one warms the service up, and isn't counted."""
    counted = Counted()
    async with httpx.AsyncClient(headers=dict(target.headers), timeout=target.timeout) as client:
        await _send(client, target, images[0], time.monotonic(), Counted())
        began = time.monotonic()
        for image in images:
            counted.sent += 1
            await _send(client, target, image, time.monotonic(), counted)
        counted.took = time.monotonic() - began
    return counted


async def _send(client: httpx.AsyncClient, target: Target, image: bytes, due: float, counted: Counted) -> None:
    headers = {"Content-Type": content_type(image), "X-Request-Timeout-Ms": str(int(target.timeout * 1000))}
    try:
        answer = await client.post(f"{target.url}/v1/models/{target.model}:predict", content=image, headers=headers)
        if answer.status_code in REFUSED_STATUSES:
            counted.refused += 1
            return
        if answer.status_code != httpx.codes.OK:
            counted.failed[f"{answer.status_code} {answer.reason_phrase}"] += 1
            return
        page = page_of(answer.json()["predictions"][0])
    except httpx.HTTPError as error:
        counted.failed[type(error).__name__] += 1
    except (PpocrError, ValueError, LookupError, TypeError):
        counted.failed["the answer is no page: is this the address of ppocr-serving?"] += 1
    else:
        counted.seconds.append(time.monotonic() - due)
        counted.lines += len(page.lines)
        counted.by[f"{answer.headers.get(TRACK_HEADER, '-')} {page.model}"] += 1
