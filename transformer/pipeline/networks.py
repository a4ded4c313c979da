"""How a stage runs a network, and threads for its own work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import ppocr_tracing
from ppocr import answers, telemetry
from ppocr.call import Call
from ppocr.contract import DETECTION, Answer, BundleFacts, Items, NetworkFacts, Predictor
from ppocr_api.errors import BadAnswer, Cancelled, DeadlineExceeded, InvalidRequest, Overloaded
from transformer.facts import FactsByVersion
from transformer.pipeline.page import PageInWork
from transformer.room import Room
from transformer.threads import FairThreads

#: For a started page: how often a call is retried if the network's queue is full, and the longest wait between tries [seconds].
TRIES, PAUSE = 30, 1.0

#: With at most this many lines, work on the lines of a page takes only milliseconds.
FEW_LINES = 128

T = TypeVar("T")


def nothing() -> None:
    """A callback that does nothing."""


@dataclass(frozen=True)
class Asked:
    """A network with its input and its answer."""

    network: NetworkFacts
    items: Items
    answer: Answer


class Networks:
    """The networks of a predictor, and threads for the work on pixels between them."""

    def __init__(self, predictor: Predictor, facts: FactsByVersion, room: Room, threads: int) -> None:
        self._predictor = predictor
        self._facts = facts
        self._room = room
        self._threads = FairThreads(threads)

    async def ask(
        self,
        page: PageInWork,
        task: str,
        stage: str,
        prepare: Callable[[NetworkFacts], Items],
        when_prepared: Callable[[], None] = nothing,
        further: int = 0,
    ) -> Asked:
        """Runs the page's network for `task` on the items that `prepare` makes in a thread.

        The first answer of a page decides which version computes the page. If that version needs a different input, the items
        are prepared again and sent to it by name. All later networks of the page use the same version. `stage` is the name in
        the metrics. `when_prepared` is called when nothing has to be prepared again. `further`: pixels of a further part for
        detection, which waits for room before it is prepared.
        """
        if further:
            async with self._room.further(further, page.call.share):
                return await self._ask(page, task, stage, prepare, when_prepared, further=True)
        return await self._ask(page, task, stage, prepare, when_prepared)

    async def _ask(
        self,
        page: PageInWork,
        task: str,
        stage: str,
        prepare: Callable[[NetworkFacts], Items],
        when_prepared: Callable[[], None],
        further: bool = False,
    ) -> Asked:
        network = needed(page.facts, task)
        items = await self.in_thread(page.call, prepare, network, large=page.large)
        if page.version is not None:
            when_prepared()
            answer = await self._run(page, network, items, stage, page.version, further)
            return _checked(network, items, answer, page.version)
        answer = await self._run(page, network, items, stage, page.call.version)
        if answer.version != page.facts.identity:
            page.facts = await self._facts.for_identity(answer.version)
            expected, network = network, needed(page.facts, task)
            if (network.name, network.grid, network.parameters) != (expected.name, expected.grid, expected.parameters):
                items = await self.in_thread(page.call, prepare, network, large=page.large)
                answer = await self._run(page, network, items, stage, page.facts.identity)
        page.version = page.facts.identity
        when_prepared()
        return _checked(network, items, answer, page.version)

    async def in_thread(self, call: Call, work: Callable[..., T], *args: object, large: bool = False) -> T:
        """Runs `work` in a thread. Raises DeadlineExceeded or Cancelled if the answer isn't needed when a thread is free.

        `large`: it may take a second or more.
        """

        def run() -> T:
            call.check()
            return work(*args)

        try:
            call.check()
            return await asyncio.wrap_future(self._threads.submit(ppocr_tracing.bound(run), call.share, large))
        except DeadlineExceeded:
            telemetry.DROPPED.labels("deadline").inc()
            raise
        except Cancelled:
            telemetry.DROPPED.labels("cancelled").inc()
            raise

    async def on_lines(self, page: PageInWork, work: Callable[..., T], *args: object) -> T:
        """Runs `work` on the lines of `page`: in a thread if there are many lines or words, which take some tenths of a
        second; else directly, which is faster than waiting for a thread."""
        if len(page.boxes) <= FEW_LINES and not page.parameters.return_word_box:
            return work(*args)
        return await self.in_thread(page.call, work, *args)

    def close(self) -> None:
        """Waits for running work."""
        self._threads.close()

    async def _run(
        self,
        page: PageInWork,
        network: NetworkFacts,
        items: Items,
        stage: str,
        version: str | None,
        further: bool = False,
    ) -> Answer:
        """Retries while the queue is full, because the work done for the page would be lost otherwise."""
        tries = TRIES
        with telemetry.stage(stage):
            while True:
                try:
                    return await self._run_once(page, network, items, version, further)
                except Overloaded as error:
                    tries -= 1
                    if not tries:
                        raise
                    pause = min(error.retry_after or PAUSE, PAUSE)
                page.call.check()
                await asyncio.sleep(pause)

    async def _run_once(
        self, page: PageInWork, network: NetworkFacts, items: Items, version: str | None, further: bool
    ) -> Answer:
        call = page.call
        run = self._predictor.run(network.name, items, version=version, deadline=call.deadline, share=call.share)
        if network.task != DETECTION:
            return await run
        async with self._room.sent(items.pixels.size // 3, call.share, further):
            answer = await run
        page.detected()
        return answer


def _checked(network: NetworkFacts, items: Items, answer: Answer, version: str) -> Asked:
    """Raises BadAnswer if the answer doesn't match `items` and that version."""
    if answer.version != version:
        raise BadAnswer(f"{network.name} of {version} was requested, but another version answered")
    answers.check(network, items, answer)
    return Asked(network, items, answer)


def needed(facts: BundleFacts, task: str) -> NetworkFacts:
    """The network for `task`. Raises InvalidRequest if a version that was activated meanwhile has none."""
    network = facts.of_task(task)
    if network is None:
        raise InvalidRequest(f"the bundle {facts.label} has no network for the task {task}")
    return network
