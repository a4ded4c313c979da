"""An answer is checked by what its network can have answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ppocr.answers import check
from ppocr.contract import LINE_ORIENTATION, Answer, Items, NetworkFacts
from ppocr_api.errors import BadAnswer
from ppocr_convert import builtin, network_facts
from tests.networks import DET, rec

REC = rec("", "a", "b")
LINES = network_facts.orientation(LINE_ORIENTATION, builtin.LINE_FIT)


def items(*sizes: tuple[int, int]) -> Items:
    return Items(np.zeros(0, np.uint8), np.array(sizes, np.int32))


def answer(counts: list[int], **outputs: Any) -> Answer:
    types = {"ids": np.int32, "label": np.int32, "probabilities": np.float32}
    arrays: dict[str, NDArray[Any]] = {
        name: np.array(values, types.get(name, np.float32)) for name, values in outputs.items()
    }
    return Answer(arrays, np.array(counts, np.int32), "x/1@0")


def read(ids: list[int], probabilities: list[float] | None = None) -> Answer:
    return answer([len(ids)], ids=ids, probabilities=[0.5] * len(ids) if probabilities is None else probabilities)


GOOD: list[tuple[NetworkFacts, Items, Answer]] = [
    (DET, items((32, 64)), answer([32 * 64], probability=[0] * 32 * 64)),
    (REC, items((48, 32)), read([0, 1, 2, 0])),
    (REC, items((48, 32)), read([0, 1, 2, 0], [0.0, 1.0, 1.005, 0.5])),
    (REC, items((48, 320)), read([1] * 39)),
    (LINES, items((48, 192), (48, 192)), answer([1, 1], label=[0, 1], probability=[0.5, 0.9])),
]
BAD: list[tuple[NetworkFacts, Items, Answer]] = [
    (DET, items((32, 64)), answer([32 * 32], probability=[0] * 32 * 32)),
    (DET, items((32, 64)), answer([], probability=[])),
    (REC, items((48, 32)), read([0, 1, 3, 0])),
    (REC, items((48, 32)), read([0, 1, -1, 0])),
    (REC, items((48, 32)), read([0, 1, 2, 0], [0.5, 0.5, float("nan"), 0.5])),
    (REC, items((48, 32)), read([0, 1, 2, 0], [0.5, 0.5, 1e30, 0.5])),
    (REC, items((48, 32)), read([0, 1, 2, 0], [0.5, -0.5, 0.5, 0.5])),
    (REC, items((48, 320)), read([])),
    (REC, items((48, 320)), read([1] * 80)),
    (REC, items((48, 32), (48, 32)), read([0, 1, 2, 0])),
    (REC, items((48, 32)), answer([4], ids=[0, 1, 2, 0])),
    (LINES, items((48, 192)), answer([2], label=[0, 1], probability=[0.5, 0.9])),
    (LINES, items((48, 192)), answer([1], label=[2], probability=[0.5])),
    (LINES, items((48, 192)), answer([1], label=[0], probability=[float("inf")])),
]


@pytest.mark.parametrize(("network", "asked", "answered"), GOOD)
def test_what_can_be(network: NetworkFacts, asked: Items, answered: Answer) -> None:
    check(network, asked, answered)


@pytest.mark.parametrize(("network", "asked", "answered"), BAD)
def test_what_cant(network: NetworkFacts, asked: Items, answered: Answer) -> None:
    with pytest.raises(BadAnswer, match=network.name):
        check(network, asked, answered)
