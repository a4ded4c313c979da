"""The loop on bad days that no real cluster has on demand. The good ones, and bad canaries, are in tests/cluster."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Hashable, Mapping, Sequence
from threading import Event
from typing import Any

import pytest

from ppocr_api.errors import PpocrError, Unavailable
from ppocr_rollout import steps
from ppocr_rollout.cluster import Pod
from ppocr_rollout.counts import Counts
from ppocr_rollout.decision import Limits
from ppocr_rollout.routes import CANARY, STABLE, Route
from ppocr_rollout.sources import process
from ppocr_rollout.steps import Plan, Rollout
from ppocr_rollout.table import Table

PLACE = ("/spec/rules/0/backendRefs/0/weight", "/spec/rules/0/backendRefs/1/weight")


class Cluster:
    """A cluster and its metrics. Each look at the pods sends `requests`, which come to the tracks by the weight."""

    namespace, release = "ocr", "ppocr"

    def __init__(self, requests: int = 200) -> None:
        self.weights = [0]
        self.requests = requests
        self.failing = 0.0
        self.seconds = {STABLE: 0.5, CANARY: 0.5}
        self.counts = {STABLE: Counts(good=1000), CANARY: Counts()}
        self.all_pods = {
            track: [pod(f"{track}-transformer-1"), pod(f"{track}-predictor-1", front=None)] for track in self.counts
        }
        self.refused = ""
        self.away_at: set[int] = set()
        self.forbidden = False
        self.tries = 0

    def tracks(self) -> dict[str, str]:
        return {STABLE: STABLE, CANARY: CANARY}

    def routes(self, tracks: Mapping[str, str]) -> list[Route]:
        refused = self.refused if self.weights[-1] else ""
        return [Route("httproutes", "ppocr", (PLACE,), self.weights[-1], True, refused)]

    def set_weight(self, route: Route, weight: int, *, only_try: bool = False) -> None:
        if self.forbidden:
            raise PpocrError("403 patch is not allowed")
        if only_try:
            return
        self.tries += 1
        if weight in self.away_at:
            raise Unavailable("the API server can't be reached")
        self.weights.append(weight)

    def pods(self, inference_service: str) -> list[Pod]:
        return self.all_pods[inference_service]

    def read(self, pods: Sequence[Pod]) -> Mapping[Hashable, Counts]:
        (front,) = [pod for pod in pods if pod.front is not None]
        track = front.name.partition("-")[0]
        share = self.weights[-1] / 100 if track == CANARY else 1 - self.weights[-1] / 100
        new = round(self.requests * share)
        failed = round(new * self.failing) if track == CANARY else 0
        times = {bound: float(new if self.seconds[track] <= bound else 0) for bound in (0.5, 1.0, 2.5)}
        self.counts[track] += Counts(new - failed, failed, 0, {**times, math.inf: float(new)})
        return {process(front): self.counts[track]}


def pod(name: str, *, ready: bool = True, restarts: int = 0, front: int | None = 8080) -> Pod:
    return Pod(name, name, 0.0, ready, True, restarts, front)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_PAUSE", 0.001)
    monkeypatch.setattr(steps, "_ACCEPT_SECONDS", 0.01)


def rollout(cluster: Any, stop: Event | None = None, **plan: Any) -> tuple[Rollout, io.StringIO]:
    out = io.StringIO()
    chosen: dict[str, Any] = {"steps": (5, 50, 100), "hold": 0.01, "max_hold": 0.1, "interval": 0.002, **plan}
    limits = Limits(min_success=0.99, max_p95_ratio=1.25, min_requests=20)
    return Rollout(cluster, cluster, Plan(**chosen, limits=limits), Table(out, io.StringIO()), stop or Event()), out


def test_a_canary_that_does_well_gets_everything() -> None:
    cluster = Cluster()
    run, out = rollout(cluster)
    assert run.run()
    assert cluster.weights == [0, 5, 50, 100]
    rows = out.getvalue().splitlines()
    assert rows[0].split() == ["weight", "seconds", "stable", "canary", "success", "stable", "p95", "canary", "p95"]
    assert [row.split()[0] for row in rows[1:]] == ["5", "50", "100"]
    assert all(row.endswith("holds") for row in rows[1:])


def test_a_canary_that_fails_is_taken_back_before_its_time() -> None:
    cluster = Cluster()
    run, out = rollout(cluster, hold=3600, max_hold=3600)
    cluster.failing = 0.5
    assert not run.run()
    assert cluster.weights == [0, 5, 0]
    assert "requests failed" in out.getvalue()
    assert out.getvalue().splitlines()[-1].startswith("taken back to 0 %:")


def test_at_100_percent_the_last_figures_of_the_stable_track_are_the_measure() -> None:
    cluster = Cluster()

    class Slower(Table):
        def step(self, step: Any) -> None:
            super().step(step)
            if step.weight == 50:
                cluster.seconds[CANARY] = 1.0

    run, out = rollout(cluster)
    run._table = Slower(out, io.StringIO())
    assert not run.run()
    assert cluster.weights == [0, 5, 50, 100, 0]
    assert "times the stable track's" in out.getvalue()


def test_too_few_requests_take_it_back() -> None:
    cluster = Cluster(requests=0)
    run, out = rollout(cluster)
    assert not run.run()
    assert cluster.weights == [0, 5, 0]
    assert "only 0 of the 20 requests" in out.getvalue()


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        ([pod("canary-transformer-1", ready=False)], "none of its pods is ready"),
        ([pod("canary-transformer-1", restarts=1)], "a container of canary-transformer-1 was restarted"),
        ([pod("canary-transformer-1"), pod("canary-predictor-1", restarts=2, front=None)], "canary-predictor-1"),
    ],
    ids=["not ready", "restarted", "its predictor restarted"],
)
def test_what_no_metric_says(pods: list[Pod], reason: str) -> None:
    cluster = Cluster()
    run, out = rollout(cluster, hold=3600, max_hold=3600)
    cluster.all_pods[CANARY] = pods
    assert not run.run()
    assert cluster.weights[-1] == 0
    assert reason in out.getvalue()


def test_a_canary_that_is_not_ready_gets_nothing_at_all() -> None:
    cluster = Cluster()
    cluster.all_pods[CANARY] = [pod("canary-transformer-1", ready=False)]
    with pytest.raises(PpocrError, match="none of its pods is ready"):
        rollout(cluster)
    assert cluster.weights == [0]


def test_restarts_before_the_rollout_are_history() -> None:
    cluster = Cluster()
    cluster.all_pods[CANARY] = [pod("canary-transformer-1", restarts=3)]
    assert rollout(cluster)[0].run()


def test_an_interruption_takes_it_back() -> None:
    cluster, stop = Cluster(), Event()

    class Interrupting(Table):
        def step(self, step: Any) -> None:
            stop.set()

    run, out = rollout(cluster, stop)
    run._table = Interrupting(out, io.StringIO())
    assert not run.run()
    assert cluster.weights == [0, 5, 50, 0]
    assert "taken back to 0 %: interrupted" in out.getvalue()


def test_a_gateway_that_refuses_the_route_ends_it() -> None:
    cluster = Cluster()
    cluster.refused = "Service ppocr-canary-transformer not found"
    run, _ = rollout(cluster)
    with pytest.raises(PpocrError, match="Service ppocr-canary-transformer not found"):
        run.run()
    assert cluster.weights[-1] == 0


def test_a_few_misses_are_no_reason() -> None:
    cluster = Cluster()
    run, _ = rollout(cluster)
    misses = iter([True, True, True, False, False, True] + [False] * 1000)
    read = cluster.read

    def sometimes(pods: Sequence[Pod]) -> Mapping[Hashable, Counts]:
        if next(misses):
            raise Unavailable("the API server can't be reached")
        return read(pods)

    cluster.read = sometimes  # type: ignore[method-assign]
    assert run.run()


def test_metrics_that_cannot_be_read_take_it_back() -> None:
    cluster = Cluster()
    run, _ = rollout(cluster)

    def away(pods: Sequence[Pod]) -> Mapping[Hashable, Counts]:
        raise Unavailable("Prometheus gave no answer")

    cluster.read = away  # type: ignore[method-assign]
    with pytest.raises(PpocrError, match="Prometheus gave no answer"):
        run.run()
    assert cluster.weights == [0, 5, 0]


def test_a_weight_that_cannot_be_taken_back_comes_with_the_command_that_does() -> None:
    cluster = Cluster()
    cluster.failing = 1.0
    cluster.away_at = {0}
    run, _ = rollout(cluster)
    with pytest.raises(PpocrError) as raised:
        run.run()
    _, _, command = str(raised.value).partition("kubectl -n ocr patch httproutes ppocr --type=json -p ")
    assert json.loads(command.strip("'")) == [
        {"op": "add", "path": PLACE[0], "value": 100},
        {"op": "add", "path": PLACE[1], "value": 0},
    ]
    assert cluster.weights[-1] == 5
    assert cluster.tries == 11, "one for the step, ten to take it back"


def test_a_user_who_may_not_change_routes_is_refused_before_anything_happens() -> None:
    cluster = Cluster()
    cluster.forbidden = True
    with pytest.raises(PpocrError, match="403"):
        rollout(cluster)
    assert cluster.weights == [0]
