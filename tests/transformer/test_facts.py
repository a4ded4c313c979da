"""What the transformer remembers of the predictor's versions, and for how long."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import pytest

from ppocr.contract import BundleFacts
from ppocr_api.errors import DeadlineExceeded, InvalidRequest, NotFound, PpocrError, Unavailable
from tests.networks import DET, rec
from transformer import facts as module
from transformer.facts import FactsByVersion


class Predictor:
    """Answers with what it is given, or raises it, and counts how often it was asked."""

    def __init__(self, answer: BundleFacts) -> None:
        self.answer: BundleFacts | PpocrError = answer
        self.asked = 0
        self.wait: asyncio.Future[None] | None = None

    async def facts(self, version: str | None = None) -> BundleFacts:
        self.asked += 1
        if self.wait is not None:
            await self.wait
        if isinstance(self.answer, PpocrError):
            raise self.answer
        return self.answer


@pytest.fixture(scope="module")
def first() -> BundleFacts:
    return BundleFacts("a", "1", (DET, rec("", "x")), "0")


@pytest.fixture
def second(first: BundleFacts) -> BundleFacts:
    return dataclasses.replace(first, version="2")


async def test_the_predictor_is_asked_once(first: BundleFacts) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    assert [await known.current() for _ in range(3)] == [first] * 3
    assert await known.for_identity(first.identity) == first
    assert predictor.asked == 1


async def test_it_is_asked_again_when_they_are_old(
    first: BundleFacts, second: BundleFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    await known.current()
    predictor.answer = second
    assert (await known.current()).version == "1"
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    assert (await known.current()).version == "2"


@pytest.mark.parametrize("error", [Unavailable("nobody is there"), DeadlineExceeded("it takes too long")])
async def test_old_facts_serve_while_no_predictor_answers(
    error: PpocrError, first: BundleFacts, second: BundleFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    await known.current()
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    predictor.answer = error
    assert (await known.current()).version == "1"
    predictor.answer = second
    assert (await known.current()).version == "2"


async def test_a_caller_that_left_takes_no_facts_along(first: BundleFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    await known.current()
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    predictor.wait = asyncio.get_running_loop().create_future()
    caller = asyncio.create_task(known.current())
    while predictor.asked < 2:
        await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    other = asyncio.create_task(known.current())
    await asyncio.sleep(0)
    predictor.wait.set_exception(Unavailable("nobody is there"))
    assert (await other).version == "1"


async def test_all_who_wait_share_one_question(first: BundleFacts) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    nobody = asyncio.get_running_loop().create_future()
    predictor.wait = nobody
    waiting = [asyncio.create_task(known.current()) for _ in range(20)]
    waiting += [asyncio.create_task(known.for_identity(first.identity)) for _ in range(20)]
    while predictor.asked < 2:
        await asyncio.sleep(0)
    nobody.set_exception(Unavailable("nobody is there"))
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in outcomes] == [Unavailable] * 40
    assert predictor.asked == 2


async def test_without_any_the_error_is_raised(first: BundleFacts) -> None:
    predictor = Predictor(first)
    predictor.answer = Unavailable("nobody is there")
    with pytest.raises(Unavailable):
        await FactsByVersion(predictor).current()  # type: ignore[arg-type]


async def test_a_version_that_is_unloaded_is_not_found(first: BundleFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    await known.current("1")
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    predictor.answer = NotFound("there is no version 1")
    with pytest.raises(NotFound):
        await known.current("1")


async def test_the_newest_facts_are_those_of_the_version_that_serves_now(
    first: BundleFacts, second: BundleFacts
) -> None:
    """Also directly after a swap: a page that the former version couldn't read must not be refused."""
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    assert (await known.newest()).version == "1"
    predictor.answer = second
    assert (await known.newest()).version == "2"
    assert (await known.current()).version == "2"


async def test_questions_for_the_newest_facts_are_shared(first: BundleFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPACING_SECONDS", 0.5)  # longer than a busy machine halts in the middle of a round
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    began = time.monotonic()
    for _ in range(3):
        assert await asyncio.gather(*(known.newest() for _ in range(100))) == [first] * 100
    assert time.monotonic() - began >= 2 * module.SPACING_SECONDS
    assert predictor.asked == 3


async def test_a_version_that_isnt_there_is_asked_for_once_a_while(
    first: BundleFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    predictor.answer = NotFound("there is no version 7")
    monkeypatch.setattr(module, "SPACING_SECONDS", 60.0)
    for _ in range(100):
        with pytest.raises(NotFound, match="there is no version 7"):
            await known.current("7")
    assert predictor.asked == 1
    monkeypatch.setattr(module, "SPACING_SECONDS", 0.0)
    predictor.answer = dataclasses.replace(first, version="7")
    assert (await known.current("7")).version == "7"


async def test_a_bundle_of_no_known_network_is_asked_for_once_a_while(
    first: BundleFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SPACING_SECONDS", 60.0)
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    predictor.answer = InvalidRequest("it has none of the networks")
    for _ in range(100):
        with pytest.raises(InvalidRequest, match="it has none"):
            await known.current()
    assert predictor.asked == 1


async def test_versions_that_nobody_has_seen_are_asked_for_a_few_at_a_time(first: BundleFacts) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    await known.current("1")
    predictor.answer = NotFound("it isn't there")
    predictor.wait = asyncio.get_running_loop().create_future()
    flood = [asyncio.create_task(known.current(f"{number}")) for number in range(100, 200)]
    await asyncio.sleep(0.05)
    assert predictor.asked == 1 + module.UNSEEN_AT_A_TIME
    assert (await known.current("1")).version == "1"
    for each in flood[:90]:  # who has left isn't asked for
        each.cancel()
    predictor.wait.set_result(None)
    await asyncio.gather(*flood, return_exceptions=True)
    assert predictor.asked <= 1 + module.UNSEEN_AT_A_TIME + 10
    assert len(known._absent) <= module.MAX_ABSENT


async def test_all_who_want_a_version_that_nobody_has_seen_share_one_question(first: BundleFacts) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    predictor.wait = asyncio.get_running_loop().create_future()
    waiting = [asyncio.create_task(known.current("1")) for _ in range(100)]
    await asyncio.sleep(0.05)
    predictor.wait.set_result(None)
    assert await asyncio.gather(*waiting) == [first] * 100
    assert predictor.asked == 1


async def test_a_name_that_no_version_can_have_isnt_asked_for(first: BundleFacts) -> None:
    predictor = Predictor(first)
    known = FactsByVersion(predictor)  # type: ignore[arg-type]
    with pytest.raises(NotFound) as refused:
        await known.current("9" * 100_000)
    assert predictor.asked == 0 and len(str(refused.value)) < 200
