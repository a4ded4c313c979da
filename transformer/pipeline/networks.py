"""How a stage has a network run, and where it does its own work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from ppocr import telemetry
from ppocr.call import Call
from ppocr.contract import Answer, BundleFacts, Items, NetworkFacts, Predictor
from ppocr_api.errors import BadAnswer, Cancelled, DeadlineExceeded, InvalidRequest
from transformer.facts import FactsByVersion
from transformer.pipeline.page import PageInWork

T = TypeVar("T")


def nothing() -> None:
    """The callback of who has nothing to do."""


@dataclass(frozen=True)
class Asked:
    """A network, what it was given, and what it answered."""

    network: NetworkFacts
    items: Items
    answer: Answer


class Networks:
    """The networks of a predictor, and threads for the work on pixels between them."""

    def __init__(self, predictor: Predictor, facts: FactsByVersion, threads: int) -> None:
        self._predictor = predictor
        self._facts = facts
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="image")

    async def ask(
        self,
        page: PageInWork,
        task: str,
        stage: str,
        prepare: Callable[[NetworkFacts], Items],
        when_prepared: Callable[[], None] = nothing,
    ) -> Asked:
        """Runs the page's network for `task` on what `prepare` makes of it, which is called in a thread.

        The first answer of a page says which version computes it; where that wants another input than was prepared, it is
        asked again by name. All networks of a page after that are those of this version. `stage` names the time that the
        network takes in the metrics. `when_prepared` is called once nothing can have to be prepared again.
        """
        network = needed(page.facts, task)
        items = await self.in_thread(page.call, prepare, network)
        if page.version is not None:
            when_prepared()
            answer = await self._run(page, network, items, stage, page.version)
            if answer.version != page.version:
                raise BadAnswer(f"{network.name} was asked of {page.version}, and another version answered")
            return Asked(network, items, answer)
        answer = await self._run(page, network, items, stage, page.call.version)
        if answer.version != page.facts.identity:
            page.facts = await self._facts.for_identity(answer.version)
            expected, network = network, needed(page.facts, task)
            if (network.name, network.grid, network.parameters) != (expected.name, expected.grid, expected.parameters):
                items = await self.in_thread(page.call, prepare, network)
                answer = await self._run(page, network, items, stage, page.facts.identity)
        page.version = page.facts.identity
        when_prepared()
        return Asked(network, items, answer)

    async def in_thread(self, call: Call, work: Callable[..., T], *args: object) -> T:
        """Does `work` in a thread. Raises DeadlineExceeded or Cancelled where nobody waits for it when a thread is free."""

        def run() -> T:
            call.check()
            return work(*args)

        try:
            call.check()
            return await asyncio.get_running_loop().run_in_executor(self._threads, run)
        except DeadlineExceeded:
            telemetry.DROPPED.labels("deadline").inc()
            raise
        except Cancelled:
            telemetry.DROPPED.labels("cancelled").inc()
            raise

    def close(self) -> None:
        """Lets running work end."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _run(
        self, page: PageInWork, network: NetworkFacts, items: Items, stage: str, version: str | None
    ) -> Answer:
        with telemetry.stage(stage):
            return await self._predictor.run(network.name, items, version=version, deadline=page.call.deadline)


def needed(facts: BundleFacts, task: str) -> NetworkFacts:
    """The network for `task`. Raises InvalidRequest where a version that was swapped in meanwhile has none."""
    network = facts.of_task(task)
    if network is None:
        raise InvalidRequest(f"the bundle {facts.label} has no network of the task {task}")
    return network
