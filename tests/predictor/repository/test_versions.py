"""How versions in memory follow each other: who is answered by which, and when memory is given back."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from ppocr.contract import BundleFacts
from ppocr_api.errors import NotFound, Unavailable
from predictor.batching import Scheduler
from predictor.engines.base import Capabilities
from predictor.local import LocalPredictor
from predictor.versions import LoadedVersion, Versions
from tests.predictor.batching.stand_ins import PATIENCE, Checksums, Held, det, lines, rec
from tests.predictor.facts import DET, REC


def loaded(version: str, network: Checksums | None = None, digest: str = "") -> LoadedVersion:
    network = network or Checksums()
    facts = BundleFacts("x", version, (DET, REC), digest or f"d{version}")
    networks = {"det": det(network), "rec": rec(network)}
    return LoadedVersion(facts, Capabilities("test", "CPU", "f32", 1, 0), networks, network.close)


async def test_the_last_one_put_in_serves_and_the_one_before_answers_to_its_name_during_its_grace() -> None:
    versions = Versions(grace_seconds=60)
    one, two = loaded("1"), loaded("2")
    versions.activate(one)
    versions.activate(two)
    assert versions.serving() is two
    for name in ("1", "x/1", "x/1@d1"):
        assert versions.serving(name) is one
    assert [facts.version for facts in versions.leaving()] == ["1"]
    await versions.close()
    with pytest.raises(Unavailable):
        versions.serving()


@pytest.mark.parametrize("name", ["3", "y/1", "x/1@other", "x/3@d1", ""])
async def test_what_was_never_there_is_not_found(name: str) -> None:
    versions = Versions()
    versions.activate(loaded("1"))
    with pytest.raises(NotFound, match="there are: x/1"):
        versions.serving(name)
    await versions.close()


async def test_two_that_bear_one_name_are_told_apart_by_their_identity() -> None:
    versions = Versions(side_by_side=2)
    one, other = loaded("1", digest="a"), loaded("1", digest="b")
    versions.activate(one)
    versions.activate(other)
    assert versions.serving("x/1@a") is one
    assert versions.serving("x/1@b") is other
    assert versions.serving("1") is other
    await versions.close()


async def test_side_by_side_the_one_longest_here_leaves() -> None:
    versions = Versions(side_by_side=2, grace_seconds=0)
    all_three = [loaded(version) for version in "123"]
    for each in all_three:
        versions.activate(each)
    assert [facts.version for facts in versions.loaded()] == ["2", "3"]
    versions.activate(all_three[1])
    assert versions.serving() is all_three[1]
    await versions.left()
    with pytest.raises(NotFound):
        versions.serving("1")
    await versions.close()


async def test_a_request_in_flight_keeps_its_networks_until_it_is_answered() -> None:
    # Networks are closed on one thread, in the order in which they may be: the second's end shows that the first's is past due.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    network = Held()
    versions = Versions(grace_seconds=0)
    versions.activate(loaded("1", network))
    scheduler = Scheduler()
    predictor = LocalPredictor(versions, scheduler)
    asked = asyncio.create_task(scheduler.submit(versions.serving().networks["rec"], [lines(1, 64)]))
    await network.entered()
    versions.activate(loaded("2"))
    versions.activate(loaded("3"))
    leaving = asyncio.create_task(versions.left())
    async with asyncio.timeout(PATIENCE):
        while len(versions.leaving()) > 1:
            await asyncio.sleep(0)
    assert not network.closed
    assert not leaving.done()
    assert [facts.version for facts in versions.leaving()] == ["1"]
    network.let_go()
    await asked
    await leaving
    assert network.closed
    await predictor.close()
