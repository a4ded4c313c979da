"""Two tracks: shares, choice by header, no answer out of both; promotion, abort and rolling updates under load."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import grpc
import httpx
import pytest

from ppocr import oip
from tests.cluster import images, load
from tests.cluster.kube import NIGHTLY, nightly, until
from tests.cluster.load import Gateway
from tests.cluster.release import NEXT_TAG, TAG, Release

STABLE, CANARY = "ppocrv6-small/1", "ppocrv6-small/2"
HEADER = "x-ocr-track"
UPGRADES = int(os.environ.get("PPOCR_TEST_UPGRADES", "10" if NIGHTLY else "2"))
Say = Callable[[str], None]

NEXT = {"predictor": {"image": {"tag": NEXT_TAG}}}


def canary(weight: int, header: str = HEADER) -> dict[str, object]:
    return {"enabled": True, "weight": weight, "match": {"header": header, "value": "canary" if header else ""}, **NEXT}


def until_routed(gateway: Gateway, seconds: float = 30) -> None:
    """Until the gateway has the canary's route."""
    with gateway.client() as client:
        until(
            seconds,
            lambda: gateway.read(client, images.line(), **{HEADER: "canary"}).track == "canary",
            "the canary's route",
        )


def pairs(answers: list[load.Answer]) -> Counter[tuple[str, str]]:
    """Track of the transformer and bundle of the predictor, of the answers that are one."""
    return Counter((answer.track, answer.model) for answer in answers if answer.status == httpx.codes.OK)


@pytest.fixture(scope="module")
def at_20_percent(release: Release, gateway: Gateway) -> Release:
    release.upgrade(canary=canary(0))
    release.upgrade(canary=canary(20))
    until_routed(gateway)
    return release


@pytest.mark.usefixtures("at_20_percent")
def test_a_canary_gets_its_share(gateway: Gateway, say: Say) -> None:
    sent = load.answers(gateway, 500)
    assert sent.failed == []
    assert set(pairs(sent.answers)) == {("stable", STABLE), ("canary", CANARY)}, "an answer is of one track"
    share = 100 * sent.by_track()["canary"] / 500
    say(f"canary at 20 %: {sent.summary()}: {share:.1f} %")
    # The gateway draws lots: its standard deviation here is 1.8 points.
    assert 15 <= share <= 25


@pytest.mark.usefixtures("at_20_percent")
def test_a_header_chooses_the_canary(gateway: Gateway, say: Say) -> None:
    sent = load.answers(gateway, 100, **{HEADER: "canary"})
    say(f"with {HEADER}: canary: {sent.summary()}")
    assert pairs(sent.answers) == {("canary", CANARY): 100}
    other = load.answers(gateway, 100, **{HEADER: "something"})
    assert other.failed == [] and other.by_track()["stable"] > 50


def test_metadata_chooses_the_canary_over_grpc(at_20_percent: Release, gateway: Gateway, say: Say) -> None:
    request = oip.ModelInferRequest(model_name="ppocr")
    tensor = request.inputs.add(name="image", datatype="BYTES", shape=[1])
    tensor.contents.bytes_contents.append(images.line())
    options = [("grpc.default_authority", at_20_percent.grpc_host)]
    found: Counter[tuple[str, str]] = Counter()
    with grpc.insecure_channel(gateway.url.removeprefix("http://") + ":80", options) as channel:
        infer = oip.unary(channel, "ModelInfer")
        for index in range(100):
            metadata = ((HEADER, "canary"),) if index % 2 else ()
            answer, call = infer.with_call(request, timeout=30, metadata=metadata)
            track = dict(call.trailing_metadata())[load.TRACK]
            assert track == "canary" or not metadata
            found[track, answer.model_version] += 1
    say(f"gRPC, every second call with {HEADER}: canary: {dict(found)}")
    assert set(found) == {("stable", "1"), ("canary", "2")}
    assert 50 <= found["canary", "2"] <= 75


@pytest.mark.usefixtures("at_20_percent")
def test_abort_under_load(release: Release, gateway: Gateway, say: Say) -> None:
    with load.steady(gateway) as sent:
        until(30, lambda: sent.by_track()["canary"] >= 5, "answers of the canary")
        release.upgrade(canary=canary(0, header=""))
        # A gateway answers 503 where it still sends to a Service that has gone: the weight arrives first, then the canary goes.
        sent_before = len(sent.answers)
        until(30, lambda: len(sent.answers) > sent_before + 40, "answers since the weight is 0")
        until(30, lambda: {answer.track for answer in sent.answers[-40:]} == {"stable"}, "the canary without requests")
        release.upgrade()
        until(60, lambda: not release.pods("predictor", "canary"), "the end of the canary")
        seen = len(sent.answers)
        until(30, lambda: len(sent.answers) > seen + 40, "answers after the abort")
    say(f"abort of a canary at 20 %: {sent.summary()}")
    assert load.problems(sent) == {}
    assert set(pairs(sent.answers[-30:])) == {("stable", STABLE)}


@nightly
def test_promotion_under_load(release: Release, gateway: Gateway, say: Say) -> None:
    with load.steady(gateway) as sent:
        # A track gets requests when it is there: a gateway answers 500 for a Service that it doesn't find.
        for weight in (0, 5, 25, 100):
            release.upgrade(canary=canary(weight, header=""))
            began = len(sent.answers)
            until(60, lambda began=began: len(sent.answers) > began + 60, "answers")  # type: ignore[misc]
            step = Counter(answer.track for answer in sent.answers[began + 10 :])
            say(f"canary at {weight} %: {dict(step)}")
        release.upgrade(canary=canary(100, header=""), **NEXT)
        release.upgrade(**NEXT)
        until(60, lambda: not release.pods("predictor", "canary"), "the end of the canary")
        # A predictor that was replaced goes on answering for its `lame_duck_seconds`.
        until(40, lambda: set(pairs(sent.answers[-40:])) == {("stable", CANARY)}, "the promoted bundle alone")
    say(f"promotion 5, 25, 100 %, then as the stable track: {sent.summary()}")
    assert load.problems(sent) == {}
    assert set(pairs(sent.answers)) <= {("stable", STABLE), ("stable", CANARY), ("canary", CANARY)}


def test_rolling_updates_under_load(release: Release, gateway: Gateway, say: Say) -> None:
    with load.steady(gateway) as sent:
        for index in range(UPGRADES):
            release.upgrade(
                transformer={"podAnnotations": {"upgrade": str(index)}},
                predictor={"image": {"tag": (NEXT_TAG, TAG)[index % 2]}},
            )
    say(f"{UPGRADES} rolling updates of both parts: {sent.summary()}")
    assert load.problems(sent) == {}
    assert {answer.model for answer in sent.answers} == {STABLE, CANARY}
