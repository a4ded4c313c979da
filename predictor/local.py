"""The predictor of this process: checks pixels, and has them computed in batches with those of other requests."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import numpy as np

from ppocr.contract import BundleFacts, DetAnswer, DetFacts, Lines, RecAnswer, RecFacts
from ppocr_api.errors import InvalidRequest, PpocrError
from predictor.batching import Scheduler, Stats
from predictor.versions import Versions

if TYPE_CHECKING:
    from ppocr.contract import U8

#: How long a forward that has begun may take to end when all else was given up.
FORWARD_SECONDS = 5.0


class LocalPredictor:
    """`ppocr.contract.Predictor` on networks in memory.

    `hang_seconds` is how long a forward may run before it counts as hung.
    """

    def __init__(self, versions: Versions, scheduler: Scheduler, hang_seconds: float = 60.0) -> None:
        self._versions = versions
        self._scheduler = scheduler
        self._hang_seconds = hang_seconds
        self._open = True

    async def facts(self, version: str | None = None) -> BundleFacts:
        return self._versions.serving(version).facts

    async def det(self, image: U8, deadline: float | None = None, version: str | None = None) -> DetAnswer:
        """UINT8 [H,W,3] → UINT8 [H,W]. Raises InvalidRequest for a size off the grid, else as `Scheduler.submit`."""
        loaded = self._versions.serving(version)
        check_image(image, loaded.facts.det)
        answers = await self._scheduler.submit(loaded.det, [image[np.newaxis]], deadline)
        return DetAnswer(answers[0][0][0], loaded.facts.identity)

    async def rec(self, lines: Lines, version: str | None = None, deadline: float | None = None) -> RecAnswer:
        """All lines of an image. Raises InvalidRequest for wrong sizes, else as `Scheduler.submit`."""
        loaded = self._versions.serving(version)
        blocks = blocks_of(lines, loaded.facts.rec)
        answers = await self._scheduler.submit(loaded.rec, blocks, deadline)
        return RecAnswer(
            ids=np.concatenate([ids.ravel() for ids, _ in answers]),
            probabilities=np.concatenate([probabilities.ravel() for _, probabilities in answers], dtype=np.float32),
            steps=np.repeat(np.array([ids.shape[1] for ids, _ in answers], np.int32), [len(block) for block in blocks]),
            version=loaded.facts.identity,
        )

    async def ready(self) -> bool:
        """Whether a version serves, work is let in, and no forward has hung."""
        if not self._open or not self.alive():
            return False
        try:
            self._versions.serving()
        except PpocrError:
            return False
        return True

    def alive(self) -> bool:
        """False when a forward has hung: only a new process helps. For liveness probes, from any thread."""
        return self._scheduler.stats().running_seconds < self._hang_seconds

    def stats(self) -> Stats:
        """The scheduler's state, for metrics and autoscalers."""
        return self._scheduler.stats()

    async def close(self, drain_seconds: float = 30.0) -> None:
        """Refuses new work and computes what was accepted, for `drain_seconds` at most; then fails what waits still.

        Networks stay open under a forward that doesn't come to its end: it would be using them.
        """
        self._open = False
        try:
            async with asyncio.timeout(drain_seconds):
                await self._scheduler.close()
        except TimeoutError:
            try:
                async with asyncio.timeout(FORWARD_SECONDS):
                    await self._scheduler.close(cancel=True)
            except TimeoutError:
                return
        await self._versions.close()


def check_image(image: U8, facts: DetFacts) -> None:
    """Raises InvalidRequest unless `image` is UINT8 [H,W,3] on the network's grid."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise InvalidRequest(f"det takes UINT8 [H,W,3]; this is {image.dtype} {list(image.shape)}")
    height, width = image.shape[:2]
    if not height or not width or height % facts.stride or width % facts.stride:
        raise InvalidRequest(
            f"det takes heights and widths that are multiples of {facts.stride}; this is {height}x{width}"
        )
    if max(height, width) > facts.max_side_len:
        raise InvalidRequest(f"det takes sides of at most {facts.max_side_len} pixels; this is {height}x{width}")


def blocks_of(lines: Lines, facts: RecFacts) -> list[U8]:
    """The lines as arrays [n, height, w, 3], one for each stretch of equal widths, without a copy.

    Raises InvalidRequest for widths that the network can't take, and where the widths and pixels don't agree.
    """
    pixels, widths = lines.pixels, lines.widths
    if pixels.dtype != np.uint8 or pixels.ndim != 1 or widths.ndim != 1 or widths.dtype.kind not in "iu":
        raise InvalidRequest(
            f"rec takes pixels UINT8 [S] and widths INT32 [N]; these are {pixels.dtype} {list(pixels.shape)} and "
            f"{widths.dtype} {list(widths.shape)}"
        )
    if not len(widths):
        raise InvalidRequest("rec takes at least one line; widths is empty")
    wrong = (widths < facts.min_width) | (widths > facts.max_width) | (widths % facts.width_step != 0)
    if wrong.any():
        line = int(wrong.argmax())
        raise InvalidRequest(
            f"rec takes widths from {facts.min_width} to {facts.max_width} in steps of {facts.width_step}; "
            f"line {line} is {widths[line]} wide"
        )
    expected = int(widths.sum(dtype=np.int64)) * facts.height * 3
    if len(pixels) != expected:
        raise InvalidRequest(f"lines of these widths have {expected} bytes in pixels; there are {len(pixels)}")
    firsts = [0, *(np.flatnonzero(np.diff(widths)) + 1).tolist(), len(widths)]
    blocks, offset = [], 0
    for first, after in itertools.pairwise(firsts):
        shape = (after - first, facts.height, int(widths[first]), 3)
        size = shape[0] * shape[1] * shape[2] * 3
        blocks.append(pixels[offset : offset + size].reshape(shape))
        offset += size
    return blocks
