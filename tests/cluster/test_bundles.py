"""Bundles on a claim: versions go live under load while the pods serve, and a canary brings one in pods of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests import two_models
from tests.cluster import images, load
from tests.cluster.bundles import CLAIM, NAME, V4, V6, Shelf
from tests.cluster.kube import Json, Namespace, Pod, nightly, run, until
from tests.cluster.load import Gateway
from tests.cluster.release import Release

Say = Callable[[str], None]
#: Short, so that the test is: an image whose lines come later is read again.
QUICK = {"swap_grace_seconds": 5}


def on_claim(**settings: Any) -> dict[str, Any]:
    return {
        "model": {"source": "pvc", "pvc": {"claimName": CLAIM}},
        "predictor": {"replicas": 2, "settings": {**QUICK, **settings}},
    }


def post(namespace: Namespace, pod: Pod, path: str, body: Json) -> Any:
    """Calls a pod's route from inside, through the API server."""
    route = f"/api/v1/namespaces/{namespace.name}/pods/{pod.name}:8080/proxy{path}"
    return json.loads(run("kubectl", "create", "--raw", route, "--filename", "-", stdin=json.dumps(body)) or "{}")


@nightly
def test_versions_go_live_under_load(shelf: Shelf, release: Release, gateway: Gateway, say: Say) -> None:
    values = on_claim()
    values["predictor"]["repository"] = {"watchSeconds": 1, "api": True}
    release.upgrade(**values)
    # A predictor that was replaced goes on answering for its `lame_duck_seconds`.
    first = f"{NAME}/{V6}"
    until(40, lambda: {each.model for each in load.answers(gateway, 20).answers} == {first}, "the claim's bundle alone")
    v6, v4 = two_models.models()
    took = []
    with load.steady(gateway) as sent:

        def until_only(version: int) -> None:
            label = f"{NAME}/{version}"
            until(90, lambda: [each.model for each in sent.answers[-10:]] == [label] * 10, f"{label} alone")

        until_only(V6)
        for version, source in ((V4, v4), (3, v6)):
            shelf.put(version, source)
            began = time.monotonic()
            until_only(version)
            took.append(time.monotonic() - began)
        shelf.break_(4, of=3)
        for pod in release.pods("predictor"):
            until(30, lambda pod=pod: "SHA-256" in reason(pod, "4"), "the reason")  # type: ignore[misc]
        until_only(3)
        for pod in release.pods("predictor"):
            post(release.namespace, pod, f"/v2/repository/models/{NAME}/load", {"parameters": {"version": str(V4)}})
        until_only(V4)
    say(
        f"v6, v4, v6 and v4 again on a claim: {sent.summary()}; seconds until both pods read with the new one: "
        f"{', '.join(f'{seconds:.1f}' for seconds in took)}"
    )
    assert load.problems(sent) == {}
    assert {answer.model for answer in sent.answers} == {f"{NAME}/{version}" for version in (V6, V4, 3)}
    assert {answer.text for answer in sent.answers} == {images.TEXT}, "none is decoded with the other's characters"


def reason(pod: Pod, version: str) -> str:
    index = post(Namespace(pod.raw["metadata"]["namespace"]), pod, "/v2/repository/index", {})
    return next((each.get("reason", "") for each in index if each["version"] == version), "")


@nightly
def test_a_canary_brings_another_bundle(shelf: Shelf, release: Release, gateway: Gateway, say: Say) -> None:
    if not shelf.has(V4):
        shelf.put(V4, two_models.models()[1])
    stable = on_claim(bundle_version=str(V6))
    stable["predictor"]["replicas"] = 1
    canary = {"enabled": True, "predictor": {"settings": {"bundle_version": str(V4)}}}
    with load.steady(gateway) as sent:
        release.upgrade(**stable)
        release.upgrade(**stable, canary={**canary, "weight": 0})
        release.upgrade(**stable, canary={**canary, "weight": 30})
        until(60, lambda: sent.by_track()["canary"] > 20, "answers of the canary")
        release.upgrade(**stable, canary={**canary, "weight": 0})
        release.upgrade(**stable)
    pairs = {(answer.track, answer.model) for answer in sent.answers if answer.track == "canary"}
    say(f"v4 as the canary of v6: {sent.summary()}")
    assert load.problems(sent) == {}
    assert pairs == {("canary", f"{NAME}/{V4}")}
    assert {answer.model for answer in sent.answers[-10:]} == {f"{NAME}/{V6}"}
