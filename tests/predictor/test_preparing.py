"""Sizes that the networks are run on before requests bring them."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time

import numpy as np
import pytest

from ppocr.contract import Axis, Grid
from ppocr_api.errors import EngineOutOfMemory, InvalidRequest, PpocrError
from predictor.batching import Limits, Scheduler
from predictor.batching.slots import NetworkSlot
from predictor.engines.sizes import Shape, profile, usual_pages
from predictor.preparing import (
    MOST_SIZES,
    PATIENCE,
    QUIET,
    Networks,
    Preparation,
    sizes_at_first,
    sizes_in_use,
    warm_up,
)
from predictor.repository.shapes import ShapesInUse
from tests.predictor import facts
from tests.predictor.batching.stand_ins import Checksums, lines
from tests.predictor.facts import CLS, DET, LINES, REC

pytestmark = pytest.mark.alone

FACTS = facts.bundle()
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
    prepared = {shape for name, shape in sizes_at_first(FACTS.networks, budget, items) if name == "rec"}
    network = Checksums()
    slot = NetworkSlot("rec", 1, "1", network, budget, items)
    scheduler = Scheduler(Limits(powers_of_two=True))
    for width in range(32, 1281, 32):
        await scheduler.submit(slot, [lines(2 * items - 1, width)])
    await scheduler.close()
    assert set(network.shapes) == prepared
    assert len(prepared) < 80


def test_usual_sizes_come_first_and_none_twice() -> None:
    sizes = sizes_at_first(FACTS.networks, 48 * 1280, 64)
    assert sizes[:3] == [("det", (1, 960, 736, 3)), ("rec", (1, 48, 64, 3)), ("det", (1, 736, 960, 3))]
    assert len(set(sizes)) == len(sizes)
    assert sizes[3:6] == [("rec", (2, 48, 64, 3)), ("rec", (4, 48, 64, 3)), ("rec", (1, 48, 96, 3))]
    assert sizes[-1] == ("rec", (1, 48, 1280, 3))


def test_a_network_of_one_size_is_prepared_for_batches_of_it_in_turn_with_the_others() -> None:
    sizes = sizes_at_first((DET, CLS, REC), 48 * 1280, 20)
    assert sizes[:6] == [
        ("det", (1, 960, 736, 3)),
        ("cls", (1, 32, 64, 3)),
        ("rec", (1, 48, 64, 3)),
        ("det", (1, 736, 960, 3)),
        ("cls", (2, 32, 64, 3)),
        ("rec", (2, 48, 64, 3)),
    ]
    assert [shape[0] for name, shape in sizes if name == "cls"] == [1, 2, 4, 8, 16]
    assert [shape for name, shape in sizes if name == "rec"] == [
        shape for name, shape in sizes_at_first(FACTS.networks, 48 * 1280, 20) if name == "rec"
    ]


@pytest.mark.parametrize("pixels", [32 * 64 * 5, 32 * 64 - 1])
async def test_all_batches_of_one_size_are_among_the_sizes_also_where_none_has_room(pixels: int) -> None:
    prepared = {shape for _, shape in sizes_at_first((CLS,), pixels, 16)}
    network = Checksums()
    scheduler = Scheduler(Limits(powers_of_two=True))
    await scheduler.submit(NetworkSlot("cls", 0, "1", network, pixels, 16), [np.zeros((15, 32, 64, 3), np.uint8)])
    await scheduler.close()
    assert set(network.shapes) == prepared


@pytest.mark.parametrize(
    ("axis", "upright", "smallest", "usual", "largest"),
    [
        (Axis(32, 4000, 32, 960), (960, 736), 32, 960, 1920),
        (Axis(32, 4000, 32, 950), (960, 736), 32, 960, 1888),
        (Axis(32, 1216, 32, 1000), (992, 768), 32, 992, 1216),
        (Axis(128, 700, 128, 700), (640, 512), 128, 640, 640),
    ],
)
def test_pages_are_prepared_for_on_the_grid(
    axis: Axis, upright: tuple[int, int], smallest: int, usual: int, largest: int
) -> None:
    grid = Grid(axis, axis)
    height, width = upright
    assert usual_pages(grid) == ((1, height, width, 3), (1, width, height, 3))
    assert profile(grid) == tuple((1, side, side, 3) for side in (smallest, usual, largest))
    for _, *sides, _ in (*usual_pages(grid), *profile(grid)):
        grid.check("det", *sides)


def test_pages_that_no_service_computes_are_not_prepared_for() -> None:
    side = Axis(32, 4000, 32, 4000)
    assert sizes_at_first((dataclasses.replace(DET, grid=Grid(side, side)),), 48 * 1280, 64) == []


def test_a_network_of_very_many_widths_is_prepared_for_some_of_them() -> None:
    fine = dataclasses.replace(REC, grid=Grid(Axis(1, 1, 1, 1), Axis(1, 100_000, 1, 320)))
    sizes = sizes_at_first((fine,), 48 * 1280, 64)
    assert len(sizes) == MOST_SIZES and sizes[0][1][2] == 64  # usual ones come first


def test_lines_have_a_profile_of_their_height() -> None:
    assert profile(LINES) == ((1, 48, 32, 3), (32, 48, 320, 3), (64, 48, 3200, 3))


def test_a_network_that_no_request_has_reached_yet_is_warmed_up_before_those_in_use() -> None:
    at_first = sizes_at_first((DET, CLS, REC), 48 * 1280, 64)
    usual = [("det", (1, 960, 704, 3)), ("rec", LINE), ("gone", LINE)]
    assert sizes_in_use(usual, at_first) == [("cls", (1, 32, 64, 3)), *usual]
    assert sizes_in_use(usual, sizes_at_first(FACTS.networks, 48 * 1280, 64)) == usual
    network = Prepared()
    assert warm_up({"rec": [network]}, 10.0, usual) == 3
    assert network.shapes == [LINE]


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
