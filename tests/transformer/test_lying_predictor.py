"""What a predictor answers is not believed: rubbish is BadAnswer (502), never a text, and nothing of it reaches the caller."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import cv2
import grpc
import numpy as np
import pytest

from ppocr.facts_json import facts_to_json
from ppocr_api.document import Page
from ppocr_api.errors import BadAnswer, DeadlineExceeded, NotFound, Overloaded, PpocrError, Unavailable
from tests.transformer.lying import FACTS, Change, Liar, Outputs, served
from transformer.parameters import Parameters
from transformer.pipeline import networks
from transformer.predictor_channel import target
from transformer.predictor_client import PredictorClient
from transformer.reader import Reader
from transformer.settings import ReaderSettings

IMAGE = bytes(cv2.imencode(".png", np.full((64, 96, 3), 255, np.uint8))[1])


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    yield Liar()


async def read(liar: Liar) -> Page:
    async with served(liar) as address:
        reader = Reader(PredictorClient(target(address, 0)), ReaderSettings())
        try:
            return await reader.read(IMAGE, Parameters())
        finally:
            await reader.close()


async def test_an_honest_answer_is_read(liar: Liar) -> None:
    lines = (await read(liar)).lines
    assert len(lines) == 2 and all(set(line.text) == {"a"} for line in lines)


def det(change: Callable[[np.ndarray], Any]) -> Change:
    return lambda outputs: {"probability": change(outputs["probability"])}


def rec(**changes: Callable[[np.ndarray], Any]) -> Change:
    return lambda outputs: {**outputs, **{name: change(outputs[name]) for name, change in changes.items()}}


def without(name: str) -> Change:
    def left(outputs: Outputs) -> Outputs:
        return {key: array for key, array in outputs.items() if key != name}

    return left


DET_LIES: dict[str, Change] = {
    "half": det(lambda found: found[:, ::2, ::2].copy()),
    "two dimensions": det(lambda found: found[0].copy()),
    "turned": det(lambda found: np.ascontiguousarray(found.transpose(0, 2, 1))),
    "flat": det(lambda found: found.reshape(-1)),
    "1x1": det(lambda found: np.full((1, 1, 1), 255, np.uint8)),
    "no page": det(lambda found: found[:0].copy()),
    "two pages": det(lambda found: np.concatenate([found, found])),
    "0x0": det(lambda found: np.zeros((1, 0, 0), np.uint8)),
    "scalar": det(lambda found: np.zeros((), np.uint8)),
    "FP32": det(lambda found: found.astype(np.float32)),
    "huge": det(lambda found: np.zeros((1, 2000, 2000), np.uint8)),
    "another name": lambda outputs: {"map": outputs["probability"]},
    "nothing": lambda outputs: {},
}
REC_LIES: dict[str, Change] = {
    "classes too high": rec(ids=lambda ids: np.full_like(ids, 10**6)),
    "a class too many": rec(ids=lambda ids: np.full_like(ids, 11)),
    "negative classes": rec(ids=lambda ids: ids - 5),
    "INT64": rec(ids=lambda ids: ids.astype(np.int64)),
    "FP32": rec(ids=lambda ids: ids.astype(np.float32)),
    "two dimensions": rec(ids=lambda ids: ids.reshape(1, -1)),
    "short": rec(ids=lambda ids: ids[:-3].copy()),
    "short probabilities": rec(probabilities=lambda values: values[:3].copy()),
    "NaN": rec(probabilities=lambda values: np.full_like(values, np.nan)),
    "1e30": rec(probabilities=lambda values: np.full_like(values, 1e30)),
    "below 0": rec(probabilities=lambda values: -values),
    "whole probabilities": rec(probabilities=lambda values: values.astype(np.int32)),
    "a line less": rec(steps=lambda steps: steps[:-1].copy()),
    "a line more": rec(steps=lambda steps: np.append(steps, np.int32(5))),
    "huge steps": rec(steps=lambda steps: np.full_like(steps, 2**31 - 1)),
    "negative steps": rec(steps=lambda steps: -steps),
    "no steps": rec(steps=lambda steps: steps * 0),
    "nothing read": lambda outputs: {name: array[:0].copy() for name, array in outputs.items()},
    "one step a line": lambda outputs: {
        "ids": np.ones(len(outputs["steps"]), np.int32),
        "probabilities": np.ones(len(outputs["steps"]), np.float32),
        "steps": np.ones_like(outputs["steps"]),
    },
    "steps of another line": rec(steps=lambda steps: np.array([steps.sum() - 1, 1][: len(steps)], np.int32)),
    "without classes": without("ids"),
    "without probabilities": without("probabilities"),
    "without steps": without("steps"),
}


@pytest.mark.parametrize("lie", DET_LIES)
async def test_lies_of_detection(liar: Liar, lie: str) -> None:
    liar.det = DET_LIES[lie]
    await is_refused(liar)


@pytest.mark.parametrize("lie", REC_LIES)
async def test_lies_of_recognition(liar: Liar, lie: str) -> None:
    liar.rec = REC_LIES[lie]
    await is_refused(liar)


@pytest.mark.parametrize("identity", ["", "lying/2@ffff"])
async def test_answers_of_nobody(liar: Liar, identity: str) -> None:
    liar.identity = identity
    await is_refused(liar)


async def is_refused(liar: Liar) -> None:
    with pytest.raises(BadAnswer) as refused:
        await read(liar)
    assert BadAnswer.http == 502
    assert not any(word in str(refused.value) for word in ("Error", "numpy", "Traceback", "/opt"))


def changed(**fields: Any) -> str:
    raw = json.loads(facts_to_json(FACTS))
    raw["networks"][0]["parameters"].update(fields)
    return json.dumps(raw)


@pytest.mark.parametrize("facts", ["{", "null", "[" * 100_000, "5", changed(thresh=None), changed(max_candidates=-1)])
async def test_facts_that_are_wrong(liar: Liar, facts: str) -> None:
    liar.facts = facts
    await is_refused(liar)


async def test_facts_of_a_later_release_are_read(liar: Liar) -> None:
    raw = json.loads(liar.facts)
    raw["networks"].append({"name": "layout", "task": "layout", "shape": "another one"})
    raw["networks"][0]["parameters"]["dilation"] = {"size": 3}
    liar.facts = json.dumps(raw)
    assert len((await read(liar)).lines) == 2


#: What a predictor's status becomes.
STATUSES: dict[str, type[PpocrError]] = {
    "INVALID_ARGUMENT": BadAnswer,
    "NOT_FOUND": Unavailable,
    "RESOURCE_EXHAUSTED": Overloaded,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "UNAVAILABLE": Unavailable,
    "UNKNOWN": Unavailable,
    "INTERNAL": PpocrError,
    "UNIMPLEMENTED": PpocrError,
    "UNAUTHENTICATED": PpocrError,
    "PERMISSION_DENIED": PpocrError,
    "DATA_LOSS": PpocrError,
    "ABORTED": PpocrError,
}


@pytest.mark.parametrize("status", STATUSES)
async def test_what_a_predictor_says_doesnt_reach_the_caller(
    liar: Liar, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(context: Any) -> None:
        context.set_trailing_metadata((("retry-after", "99999999999"),))
        await context.abort(getattr(grpc.StatusCode, status), "/opt/secret Traceback\nFORGED")

    monkeypatch.setattr(networks, "PAUSE", 0.01)
    liar.fail = fail
    with pytest.raises(PpocrError) as failed:
        await read(liar)
    assert type(failed.value) is STATUSES[status]
    assert not any(word in str(failed.value) for word in ("secret", "Traceback", "FORGED"))
    assert (failed.value.retry_after or 0) <= 60
    assert not isinstance(failed.value, NotFound)


async def test_a_full_queue_is_asked_again(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(context: Any) -> None:
        if liar.asked < 4:
            context.set_trailing_metadata((("retry-after", "1"),))
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")

    monkeypatch.setattr(networks, "PAUSE", 0.01)
    liar.fail = fail
    assert len((await read(liar)).lines) == 2


async def test_a_version_that_isnt_there_costs_one_question(liar: Liar) -> None:
    async def fail(message: Any, context: Any) -> None:
        if message.version:
            await context.abort(
                grpc.StatusCode.NOT_FOUND, "there is no version '7' of the model here; versions that are: 1"
            )

    liar.fail_facts = fail
    async with served(liar) as address:
        client = PredictorClient(target(address, 0))
        with pytest.raises(NotFound, match="no version '7'"):
            await client.facts("7")
        await client.close()
    assert set(liar.asked_for) == {"rec"} and len(liar.asked_for) <= 3  # pods are asked in turn


async def test_a_bundle_without_recognition_is_asked_for_what_it_has(liar: Liar) -> None:
    async def fail(message: Any, context: Any) -> None:
        if message.name != "det":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no model is called 'rec'")

    liar.fail_facts = fail
    async with served(liar) as address:
        client = PredictorClient(target(address, 0))
        await client.facts()
        liar.asked_for.clear()
        await client.facts()
        await client.close()
    assert liar.asked_for == ["det"]


async def test_a_predictor_without_a_model_is_said_to_have_none(liar: Liar) -> None:
    async def fail(context: Any) -> None:
        context.set_trailing_metadata((("retry-after", "1"),))
        await context.abort(grpc.StatusCode.UNAVAILABLE, "no version of the model is loaded")

    liar.fail = fail
    with pytest.raises(Unavailable, match="the predictor has no model loaded"):
        await read(liar)
