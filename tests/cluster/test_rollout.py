"""`ppocr rollout` on a real release under load: a good canary gets everything, a bad one nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.cluster.kube import nightly, until
from tests.cluster.load import Gateway, answers, steady
from tests.cluster.release import CHART, Release

pytest.importorskip("kubernetes", reason="kubernetes is not installed: pip install 'ppocr-serving[rollout]'")

#: Two tracks share two cores here: their times differ by chance.
PLAN = ("--steps", "30,100", "--hold", "6s", "--interval", "1s", "--min-requests", "20", "--max-p95-ratio", "4")
FEW = ("--max-hold", "20s")


@dataclass(frozen=True)
class Canary:
    """The release with both tracks."""

    release: Release

    def install(self, **differs: Any) -> None:
        self.release.upgrade(canary={"enabled": True, "weight": 0, **differs})
        # Whatever an earlier rollout has left.
        self.end()

    def end(self) -> None:
        names = [self.release.name, "--namespace", self.release.namespace.name]
        subprocess.run([sys.executable, "-m", "ppocr", "rollout", *names, "--end"], check=True, timeout=60)

    def weights(self) -> dict[str, tuple[int, int]]:
        """Route → weights of (stable, canary) for what reads: the rollout's own where it has one, else the chart's."""
        found = {}
        for kind in ("httproute", "grpcroute"):
            names = [item["metadata"]["name"] for item in self.release.namespace.get(kind)["items"]]
            own = f"{self.release.name}-rollout"
            rules = self.release.namespace.get(kind, own if own in names else self.release.name)["spec"]["rules"]
            shares = {tuple(backend["weight"] for backend in rule["backendRefs"]) for rule in rules}
            ((stable, canary),) = shares
            found[kind] = (stable, canary)
        return found

    def command(self, *options: str) -> list[str]:
        names = [self.release.name, "--namespace", self.release.namespace.name]
        return [sys.executable, "-m", "ppocr", "rollout", *names, *PLAN, *options]

    def roll_out(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*options), capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(scope="module")
def canary(release: Release) -> Iterator[Canary]:
    canary = Canary(release)
    yield canary
    canary.end()


@pytest.fixture
def good(canary: Canary) -> Canary:
    canary.install()
    return canary


def everywhere(weight: int) -> dict[str, tuple[int, int]]:
    return dict.fromkeys(("httproute", "grpcroute"), (100 - weight, weight))


def test_a_good_canary_gets_everything(good: Canary, gateway: Gateway, say: Callable[[str], None]) -> None:
    with steady(gateway) as load:
        done = good.roll_out()
    say(f"exit code {done.returncode}, {load.summary()}\n{done.stdout}{done.stderr}")
    assert done.returncode == 0
    assert good.weights() == everywhere(100)
    assert load.failed == []
    assert load.by_track()["stable"] > 0
    rows = [row.split() for row in done.stdout.splitlines() if row.endswith("holds")]
    assert [row[0] for row in rows] == ["30", "100"]
    assert answers(gateway, 30).by_track() == {"canary": 30}
    assert f"ppocr rollout {good.release.name} -n {good.release.namespace.name} --end" in done.stdout


def test_no_upgrade_and_no_apply_touches_a_rollout(good: Canary, gateway: Gateway) -> None:
    """Neither Helm nor GitOps, whose tools take fields over by force, sets a weight back or changes an object each time."""
    release, both = good.release, {"enabled": True, "weight": 0}
    with steady(gateway):
        assert good.roll_out("--steps", "50").returncode == 0
    values: dict[str, Any] = {"transformer": {"podLabels": {"some": "change"}}, "gateway": {"annotations": {"a": "b"}}}
    release.upgrade(canary=both, **values)
    assert good.weights() == everywhere(50)
    for manager in ("helm", "somebody-else"):
        generations = []
        for _ in range(3):
            applied = rendered(release, canary=both, **values)
            flags = ("--server-side", "--force-conflicts", f"--field-manager={manager}", "--filename", "-")
            release.namespace.kubectl("apply", *flags, stdin=applied)
            generations.append(release.generations(applied))
        assert generations[1] == generations[0] == generations[2]
        assert good.weights() == everywhere(50)
    release.upgrade(canary={**both, "weight": 10})
    assert good.weights() == everywhere(50)
    good.end()
    assert good.weights() == everywhere(10)
    release.upgrade(canary=both)


def rendered(release: Release, **values: Any) -> str:
    """What GitOps applies: the chart without hooks."""
    files = release.files(values)
    return release.namespace.helm("template", release.name, str(CHART), "--no-hooks", *files)


@nightly
def test_a_canary_without_requests_is_taken_back(good: Canary) -> None:
    done = good.roll_out(*FEW)
    assert done.returncode == 1
    assert good.weights() == everywhere(0)
    assert "only 0 of the 20 requests" in done.stdout


def test_an_interruption_takes_it_back(good: Canary) -> None:
    process = subprocess.Popen(good.command("--hold", "10m"), stdout=subprocess.PIPE, text=True)
    try:
        until(60, lambda: good.weights() == everywhere(30), "the first step")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "taken back to 0 %: interrupted" in out
    assert good.weights() == everywhere(0)


def test_a_dry_run_changes_nothing(good: Canary) -> None:
    done = good.roll_out("--dry-run")
    assert done.returncode == 0, done.stderr
    assert "httproutes ppocr-rollout: the canary has 0 %" in done.stdout
    assert "canary: 2 of 2 pods are ready" in done.stdout
    assert good.weights() == everywhere(0)


@pytest.fixture(scope="module")
def prometheus(release: Release) -> str:
    """The address of a Prometheus that scrapes the pods."""
    found = release.namespace.kubectl(
        "--namespace",
        "monitoring",
        "get",
        "service",
        "prometheus",
        "--output",
        "jsonpath={.spec.clusterIP}",
        check=False,
    )
    if not found:
        pytest.skip("the cluster has no Service prometheus in the namespace monitoring")
    url = f"http://{found}:9090"

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/-/ready", timeout=10, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    until(120, ready, "a Prometheus that answers")
    return url


@nightly
def test_prometheus_tells_the_same(good: Canary, gateway: Gateway, prometheus: str, say: Callable[[str], None]) -> None:
    with steady(gateway) as load:
        done = good.roll_out("--prometheus", prometheus, "--steps", "50", "--hold", "20s", "--max-hold", "90s")
    say(f"exit code {done.returncode}, {load.summary()}\n{done.stdout}{done.stderr}")
    assert done.returncode == 0
    assert good.weights() == everywhere(50)
    (row,) = [row.split() for row in done.stdout.splitlines() if row.endswith("holds")]
    assert int(row[4]) >= 20


# Other canaries than the good one come last: each is an installation of its own.
def test_a_canary_that_fails_is_taken_back(canary: Canary, gateway: Gateway, say: Callable[[str], None]) -> None:
    """It says that it is ready, as no probe reads an image; nothing that it is asked to read is done in 10 ms."""
    canary.install(transformer={"settings": {"request_timeout_seconds": 0.01}})
    with steady(gateway) as load:
        done = canary.roll_out("--hold", "120s")
        until(30, lambda: answers(gateway, 30).by_track() == {"stable": 30}, "the end of the canary")
    say(f"exit code {done.returncode}, {load.summary()}\n{done.stdout}{done.stderr}")
    assert done.returncode == 1
    assert canary.weights() == everywhere(0)
    assert "requests failed" in done.stdout
    assert "taken back to 0 %" in done.stdout
    assert {answer.track for answer in load.failed} == {"canary"}
    assert len(load.failed) < len(load.answers) / 2


@nightly
def test_a_canary_that_is_slow_is_taken_back(canary: Canary, gateway: Gateway, say: Callable[[str], None]) -> None:
    """Its predictor waits for company before each run of a network."""
    canary.install(predictor={"settings": {"batch_wait_ms": 1000}})
    with steady(gateway) as load:
        done = canary.roll_out("--max-p95-ratio", "2")
    say(f"exit code {done.returncode}, {load.summary()}\n{done.stdout}{done.stderr}")
    assert done.returncode == 1
    assert canary.weights() == everywhere(0)
    assert "times the stable track's" in done.stdout
    assert load.failed == []


def test_what_is_not_there_is_said(release: Release) -> None:
    canary = Canary(Release(release.namespace, "nothing", release.folder))
    done = canary.roll_out()
    assert done.returncode == 2
    assert "release nothing has no track in namespace" in done.stderr
    away = {**os.environ, "KUBECONFIG": "/nowhere"}
    done = subprocess.run(canary.command(), env=away, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "there is no cluster to talk to" in done.stderr
