"""A poison item fails alone, a device without memory gets smaller batches, and nothing of it reaches the neighbours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from numpy.typing import NDArray

from ppocr_api.errors import EngineError, EngineOutOfMemory, PpocrError
from predictor.batching import Outputs, Scheduler
from predictor.batching.budgets import Budgets
from tests.predictor.batching.stand_ins import (
    POISON,
    Checksums,
    Held,
    Poisoned,
    Small,
    Watcher,
    lines,
    rec,
    right,
    settle,
)

if TYPE_CHECKING:
    from ppocr.contract import U8

LINE = 48 * 32
Answer = list[Outputs] | BaseException


async def together(network: Checksums, asked: list[list[U8]], batch_pixels: int = 1000 * LINE) -> list[Answer]:
    """Submits while another network holds the only worker, so that all that is asked waits at once."""
    scheduler, blocker = Scheduler(), Held()
    slot = rec(network, batch_pixels)
    first = asyncio.create_task(scheduler.submit(rec(blocker), [lines(1, 32)]))
    await blocker.entered()
    tasks = [asyncio.create_task(scheduler.submit(slot, blocks)) for blocks in asked]
    await settle()
    blocker.let_go()
    await first
    answers: list[Answer] = list(await asyncio.gather(*tasks, return_exceptions=True))
    await scheduler.close()
    assert slot.users == 0
    return answers


@pytest.mark.parametrize("position", range(9))
async def test_a_poison_item_fails_alone(position: int) -> None:
    asked = [[lines(1, 32, i)] for i in range(9)]
    asked[position] = [lines(1, 32, first=POISON)]
    network = Poisoned()
    answers = await together(network, asked)
    assert network.shapes[0] == (9, 48, 32, 3)
    for i, (answer, blocks) in enumerate(zip(answers, asked, strict=True)):
        if i == position:
            assert type(answer) is EngineError
        else:
            assert isinstance(answer, list)
            assert right(answer, *blocks)


async def test_a_request_whose_block_is_split_by_the_search_for_the_poison_is_answered_whole() -> None:
    asked = [[lines(3, 32, 1)], [lines(1, 32, first=POISON)], [lines(4, 32, 2), lines(2, 64)]]
    answers = await together(Poisoned(), asked)
    for i in (0, 2):
        answer = answers[i]
        assert isinstance(answer, list)
        assert right(answer, *asked[i])
    assert isinstance(answers[1], EngineError)


async def test_a_request_with_a_failed_item_fails_and_what_waits_of_it_is_not_computed() -> None:
    network = Poisoned()
    answers = await together(network, [[lines(1, 32, first=POISON), lines(1, 64)], [lines(1, 96)]])
    assert isinstance(answers[0], EngineError)
    assert isinstance(answers[1], list)
    assert (1, 48, 96, 3) in network.shapes


async def test_out_of_memory_halves_the_batch_and_answers_everybody() -> None:
    network = Small(3 * LINE)
    asked = [[lines(1, 32, i)] for i in range(8)]
    answers = await together(network, asked)
    for answer, blocks in zip(answers, asked, strict=True):
        assert isinstance(answer, list)
        assert right(answer, *blocks)
    assert [shape[0] for shape in network.shapes] == [8, 4, 2, 2, 4, 2, 2]


async def test_out_of_memory_makes_the_following_batches_smaller() -> None:
    network = Small(3 * LINE)
    block = lines(12, 32)
    scheduler = Scheduler()
    slot = rec(network, 6 * LINE)
    assert right((await scheduler.submit(slot, [block])), block)
    assert [shape[0] for shape in network.shapes] == [6, 3, 3, 3, 3]
    await scheduler.close()


def test_a_shrunk_budget_grows_back_slowly_with_batches_that_fill_it() -> None:
    budgets, slot = Budgets(), rec(Checksums(), 1000)
    budgets.ran_out(slot, 1000)
    assert budgets.pixels(slot) == 500
    budgets.fitted(slot, 100)
    assert budgets.pixels(slot) == 500
    steps = 0
    while budgets.pixels(slot) < 1000:
        before = budgets.pixels(slot)
        budgets.fitted(slot, before)
        assert before < budgets.pixels(slot) <= before * 1.1
        steps += 1
    assert steps > 10


async def test_a_single_item_without_memory_is_unavailable_and_the_next_is_computed() -> None:
    network = Small(2 * LINE)
    answers = await together(network, [[lines(1, 320)], [lines(2, 32)]])
    assert isinstance(answers[0], EngineOutOfMemory)
    assert answers[0].http == 503
    assert isinstance(answers[1], list)


class Raising(Checksums):
    """Raises what it was given, once."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error: BaseException | None = error

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return super().infer(pixels)


@pytest.mark.parametrize(
    ("error", "expected"),
    [(MemoryError(), EngineOutOfMemory), (RuntimeError("at /secret/path"), EngineError), (KeyError("x"), EngineError)],
)
async def test_foreign_errors_become_ours_without_their_words(error: Exception, expected: type[PpocrError]) -> None:
    scheduler, slot = Scheduler(), rec(Raising(error))
    with pytest.raises(expected) as caught:
        await scheduler.submit(slot, [lines(1, 32)])
    assert "secret" not in caught.value.message
    assert caught.value.__cause__ is error
    await scheduler.submit(slot, [lines(1, 32)])
    await scheduler.close()


@pytest.mark.parametrize("outputs", [-1, 1, None])
async def test_a_wrong_number_of_answers_is_an_error_of_all_and_not_tried_again(
    outputs: int | None,
) -> None:
    class Miscounting(Checksums):
        def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
            crc, row = super().infer(pixels)
            return () if outputs is None else (crc, row.repeat(2, 0)[: len(row) + outputs])

    network = Miscounting()
    answers = await together(network, [[lines(2, 32)], [lines(2, 32)]])
    assert all(type(answer).__mro__[1] is EngineError for answer in answers)
    assert len(network.shapes) == 1


async def test_the_observer_hears_of_every_batch() -> None:
    watcher = Watcher()
    scheduler = Scheduler(observer=watcher)
    await scheduler.submit(rec(Checksums(), 2 * LINE), [lines(3, 32)])
    assert watcher.batches == [("rec", 2, 2 * LINE), ("rec", 1, LINE)]
    stats = scheduler.stats()
    assert (stats.batches, stats.items, stats.pixels) == (2, 3, 3 * LINE)
    assert stats.pixels_per_second["rec"] > 0
    assert "det" not in stats.pixels_per_second
    await scheduler.close()
