"""One sample is read before a version serves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ppocr.contract import NetworkFacts
from ppocr_api.errors import BundleError, EngineError
from predictor import sample
from predictor.engines.base import Network
from tests.predictor.facts import CLS, DET, REC


class Answers(Network):
    """Answers what it was made with."""

    def __init__(self, facts: NetworkFacts, *outputs: NDArray[Any]) -> None:
        super().__init__(facts)
        self._outputs = outputs

    def _run(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        if not self._outputs:
            raise EngineError("it can't")
        return self._outputs

    def close(self) -> None:
        pass


def lines(*ids: int, probability: float = 0.5) -> tuple[NDArray[Any], ...]:
    return np.array([ids], np.int32), np.full((1, len(ids)), probability, np.float32)


def test_what_a_network_can_answer() -> None:
    side = sample.sample(DET).shape[1]
    sample.check(Answers(DET, np.zeros((1, side, side), np.uint8)), DET, "x/1")
    sample.check(Answers(REC, *lines(*[0, 1] * 20)), REC, "x/1")
    sample.check(Answers(CLS, np.zeros(1, np.int32), np.ones(1, np.float32)), CLS, "x/1")


@pytest.mark.parametrize(
    ("facts", "outputs"),
    [
        (DET, ()),
        (DET, (np.zeros((1, 32, 32), np.uint8),)),
        (REC, lines(*[0, 7] * 20)),
        (REC, lines(*[0, 1] * 20, probability=float("nan"))),
        (REC, lines(*[0, 1] * 20)[:1]),
        (CLS, (np.full(1, 2, np.int32), np.ones(1, np.float32))),
    ],
)
def test_what_it_cant(facts: NetworkFacts, outputs: tuple[NDArray[Any], ...]) -> None:
    with pytest.raises(BundleError, match=f"the {facts.name} network of x/1"):
        sample.check(Answers(facts, *outputs), facts, "x/1")


@pytest.mark.parametrize("facts", [DET, REC, CLS])
def test_the_sample_is_black_digits_in_a_size_that_the_network_takes(facts: NetworkFacts) -> None:
    found = sample.sample(facts)
    facts.grid.check(facts.name, *found.shape[1:3])
    assert found.dtype == np.uint8 and set(np.unique(found)) == {0, 255}
