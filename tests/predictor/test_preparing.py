"""Sizes that the networks are run on before requests bring them."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from ppocr.contract import BundleFacts, DetFacts, Normalisation, RecFacts
from ppocr_api.errors import EngineOutOfMemory, InvalidRequest, PpocrError
from predictor.batching import Limits, Scheduler
from predictor.batching.slots import NetworkSlot
from predictor.preparing import PATIENCE, QUIET, Networks, Preparation, sizes_at_first, warm_up
from predictor.repository.shapes import Shape, ShapesInUse
from tests.predictor.batching.stand_ins import Checksums, lines

UNIT = Normalisation("RGB", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
FACTS = BundleFacts("small", "1", DetFacts(), RecFacts(("", "a")), UNIT, UNIT)
LINE: Shape = (1, 48, 64, 3)


def idle() -> float:
    return 60.0


class Prepared:
    """Keeps the sizes; raises `error` from the second on."""

    def __init__(self, error: PpocrError | None = None, seconds: float = 0.0) -> None:
        self.shapes: list[Shape] = []
        self.began = threading.Event()
        self._error = error
        self._seconds = seconds

    def prepare(self, shape: Shape) -> None:
        self.shapes.append(shape)
        self.began.set()
        time.sleep(self._seconds)
        if self._error is not None and len(self.shapes) > 1:
            raise self._error


async def test_all_batches_that_the_scheduler_makes_of_lines_are_among_the_sizes() -> None:
    budget, items = 48 * 1280, 16
    prepared = {shape for part, shape in sizes_at_first(FACTS, budget, items) if part == "rec"}
    network = Checksums()
    slot = NetworkSlot("rec", "1", network, budget, items)
    scheduler = Scheduler(Limits(powers_of_two=True))
    for width in range(32, 1281, 32):
        await scheduler.submit(slot, [lines(2 * items - 1, width)])
    await scheduler.close()
    assert set(network.shapes) == prepared
    assert len(prepared) < 80


def test_usual_sizes_come_first_and_none_twice() -> None:
    sizes = sizes_at_first(FACTS, 48 * 1280, 64)
    assert sizes[:3] == [("det", (1, 960, 736, 3)), ("rec", (1, 48, 64, 3)), ("det", (1, 736, 960, 3))]
    assert len(set(sizes)) == len(sizes)
    assert sizes[3:6] == [("rec", (2, 48, 64, 3)), ("rec", (4, 48, 64, 3)), ("rec", (1, 48, 96, 3))]
    assert sizes[-1] == ("rec", (1, 48, 1280, 3))


def test_a_warm_up_ends_in_time_and_says_how_far_it_came() -> None:
    det, alone, rec = Prepared(), Prepared(), Prepared(seconds=0.05)
    networks: Networks = {"det": [det, alone], "rec": [rec]}
    image: Shape = (1, 64, 64, 3)
    assert warm_up(networks, 10.0, [("det", image), ("rec", LINE)]) == 2
    assert det.shapes == alone.shapes == [image]
    assert warm_up(networks, 0.12, [("rec", LINE)] * 100) == len(rec.shapes) - 1 <= 3


def test_a_size_that_a_network_does_not_take_is_passed_over() -> None:
    network = Prepared(InvalidRequest("too wide"))
    assert warm_up({"rec": [network]}, 10.0, [("rec", LINE)] * 3) == 3


def test_a_preparation_goes_on_until_it_is_stopped_and_then_uses_no_network() -> None:
    network = Prepared(seconds=0.02)
    preparation = Preparation({"rec": [network]}, [("rec", LINE)] * 10_000, idle)
    assert network.began.wait(5)
    preparation.stop()
    done = len(network.shapes)
    assert 1 <= done < 10_000
    time.sleep(0.1)
    assert len(network.shapes) == done


def test_a_preparation_gives_up_where_a_network_fails(caplog: pytest.LogCaptureFixture) -> None:
    network = Prepared(EngineOutOfMemory("no memory for a batch"))
    with caplog.at_level(logging.WARNING, "ppocr.predictor"):
        preparation = Preparation({"rec": [network]}, [("rec", LINE)] * 5, idle)
        deadline = time.monotonic() + 5
        while len(network.shapes) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        preparation.stop()
    assert len(network.shapes) == 2
    assert "no longer prepared for: no memory for a batch" in caplog.text


def test_a_preparation_lets_requests_go_first_but_not_for_ever() -> None:
    network, shapes = Prepared(), ShapesInUse()
    watched = shapes.watched("rec", Checksums())
    began = time.monotonic()
    watched.infer(lines(1, 64))
    preparation = Preparation({"rec": [network]}, [("rec", LINE)] * 3, shapes.quiet)
    assert network.began.wait(5)
    assert QUIET <= time.monotonic() - began < PATIENCE
    preparation.stop()

    busy = Prepared()
    began = time.monotonic()
    preparation = Preparation({"rec": [busy]}, [("rec", LINE)] * 3, lambda: 0.0)
    assert busy.began.wait(5)
    assert time.monotonic() - began >= PATIENCE
    preparation.stop()
    assert len(busy.shapes) < 3
