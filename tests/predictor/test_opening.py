"""Several predictors in one process, one after the other and at a time."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from predictor.batching import Stats
from predictor.observing import QueueCollector
from predictor.opening import open_predictor
from predictor.settings import NetworkSettings
from tests.predictor.test_blocks import lines_of

QUICK = NetworkSettings(device="cpu", warm_up_seconds=0.0)


def waiting(model: str) -> float | None:
    return REGISTRY.get_sample_value("ppocr_queue_items", {"model": model})


async def test_two_predictors_serve_at_a_time_and_a_third_after_them() -> None:
    for _ in range(2):
        pair = [await open_predictor(QUICK) for _ in range(2)]
        answers = await asyncio.gather(*(each.run("rec", lines_of(64, 32)) for each in pair))
        assert [answer.counts.tolist() for answer in answers] == [[8, 4], [8, 4]]
        assert waiting("rec") == 0
        await pair[0].close()
        assert waiting("rec") == 0
        await pair[1].close()
        await pair[1].close()
        assert waiting("rec") is None, "a closed predictor is read no more"


def stats(items: dict[str, int], oldest: float) -> Stats:
    return Stats(items, {name: 10 * count for name, count in items.items()}, oldest, 1, oldest / 2, 0, 0, 0, {})


def test_what_waits_in_several_predictors_is_added_up_and_the_longest_time_counts() -> None:
    collector = QueueCollector()
    collector.add(lambda: stats({"a": 1, "b": 2}, 0.5))
    remove = collector.add(lambda: stats({"b": 3, "c": 4}, 2.0))

    def samples() -> dict[tuple[str, str], float]:
        return {
            (sample.name.removeprefix("ppocr_queue_"), sample.labels.get("model", "")): sample.value
            for metric in collector.collect()
            for sample in metric.samples
        }

    assert samples() == {
        **{("items", "a"): 1, ("items", "b"): 5, ("items", "c"): 4},
        **{("pixels", "a"): 10, ("pixels", "b"): 50, ("pixels", "c"): 40},
        **{("oldest_seconds", ""): 2.0, ("running_seconds", ""): 1.0},
    }
    remove()
    assert samples()["items", "b"] == 2
    assert samples()["oldest_seconds", ""] == pytest.approx(0.5)
