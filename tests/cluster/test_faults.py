"""Faults without warning, under load: a predictor's process is killed or hangs, a transformer is evicted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests.cluster import load
from tests.cluster.kube import Json, Namespace, nightly, run, until
from tests.cluster.load import Gateway
from tests.cluster.release import TAG, Release

Say = Callable[[str], None]

#: Sends a signal to the process of a pod: from the node, as the first process of a container can't be killed from inside.
KILL = """
import os, pathlib, signal, sys
uid, number = sys.argv[1], signal.Signals[sys.argv[2]]
for process in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        group, command = (process / "cgroup").read_text(), (process / "cmdline").read_text()
    except OSError:
        continue
    if uid in group.replace("_", "-") and "predictor" in command:
        os.kill(int(process.name), number)
        print("sent to", command.replace(chr(0), " "))
"""


@pytest.fixture(scope="module")
def two_of_each(release: Release) -> Release:
    release.upgrade(transformer={"replicas": 2}, predictor={"replicas": 2})
    return release


@pytest.fixture
def kill(namespace: Namespace) -> Iterator[Callable[[str, str], str]]:
    """Sends a signal to the predictor's process in the pod of a UID, by a pod that shares the node's process numbers."""

    def do(uid: str, signal: str) -> str:
        container = {
            "name": "killer",
            "image": f"ppocr-transformer:{TAG}",
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-c", KILL, uid, signal],
            "securityContext": {"runAsUser": 0},
        }
        pod: Json = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "killer"},
            "spec": {"hostPID": True, "restartPolicy": "Never", "containers": [container]},
        }
        namespace.apply(pod)
        until(60, lambda: namespace.get("pod/killer")["status"]["phase"] in ("Succeeded", "Failed"), "the killer")
        return namespace.kubectl("logs", "killer")

    yield do
    namespace.kubectl("delete", "pod", "killer", "--ignore-not-found", "--grace-period=0", "--force", "--wait=true")


def killed_under_load(release: Release, gateway: Gateway, kill: Callable[[str, str], str]) -> load.Load:
    """What came back under load while a predictor was killed and started again: 503 alone fails, and nothing at the end."""
    victim = release.pods("predictor")[0]
    with load.steady(gateway) as sent:
        until(30, lambda: len(sent.answers) > 20, "answers")
        assert "sent to" in kill(victim.uid, "SIGKILL")
        until(60, lambda: release.pods("predictor")[0].restarts > victim.restarts, "the restart")
        release.wait()
        seen = len(sent.answers)
        until(30, lambda: len(sent.answers) > seen + 30, "answers after it")
    failed = load.problems(sent)
    assert all(status == 503 and int(retry_after or 0) >= 1 for status, retry_after, _ in failed), failed
    assert [answer for answer in sent.answers[-30:] if answer in sent.failed] == []
    return sent


def described(sent: load.Load) -> str:
    """One line for people: what failed, and within which time."""
    lost = [answer.at for answer in sent.failed]
    within = f" within {max(lost) - min(lost):.1f} s" if lost else ""
    return f"{sent.summary()}{within}; {dict(load.problems(sent))}"


@nightly
def test_the_only_predictor_killed(
    release: Release, gateway: Gateway, kill: Callable[[str, str], str], say: Say
) -> None:
    sent = killed_under_load(release, gateway, kill)
    say(f"kill -9 of the only predictor: {described(sent)}")
    # What it was computing is lost; requests that arrived while it was away waited for it, up to ten seconds.
    assert sent.failed or max(answer.seconds for answer in sent.answers) > 1, "the predictor was never away"


@nightly
def test_one_of_two_predictors_killed(
    two_of_each: Release, gateway: Gateway, kill: Callable[[str, str], str], say: Say
) -> None:
    sent = killed_under_load(two_of_each, gateway, kill)
    say(f"kill -9 of one of two predictors: {described(sent)}")


@nightly
def test_a_predictor_that_hangs_is_restarted(
    two_of_each: Release, gateway: Gateway, kill: Callable[[str, str], str], say: Say
) -> None:
    """One of two is stopped by SIGSTOP: it answers nothing, and closes no connection. The kubelet restarts it.

    Until then, calls to it fail by their pings and are sent to the other one.
    """
    victim = two_of_each.pods("predictor")[0]
    with load.steady(gateway) as sent:
        until(30, lambda: len(sent.answers) > 20, "answers")
        began = time.monotonic()
        assert "sent to" in kill(victim.uid, "SIGSTOP")
        until(240, lambda: restarts(two_of_each, victim.name) > victim.restarts, "the restart")
        took = time.monotonic() - began
        two_of_each.wait()
        seen = len(sent.answers)
        until(30, lambda: len(sent.answers) > seen + 30, "answers after it")
    slowest = max(answer.seconds for answer in sent.answers)
    say(f"a predictor that hangs: restarted after {took:.0f} s; the slowest answer {slowest:.1f} s; {described(sent)}")
    assert {answer.status for answer in sent.failed} <= {503}, load.problems(sent)
    assert [answer for answer in sent.answers[-30:] if answer in sent.failed] == []
    assert slowest < 20


def restarts(release: Release, name: str) -> int:
    return next((pod.restarts for pod in release.pods("predictor") if pod.name == name), 0)


def test_an_eviction_loses_nothing(two_of_each: Release, gateway: Gateway, say: Say) -> None:
    release = two_of_each
    with load.steady(gateway) as sent:
        until(30, lambda: len(sent.answers) > 20, "answers")
        first, second = release.pods("transformer")
        assert evict(release.namespace, first.name) == ""
        # One may be away at a time; the other's turn comes when the first is replaced.
        refused = evict(release.namespace, second.name)
        release.wait()
        assert evict(release.namespace, second.name) == ""
        until(60, lambda: second.name not in [pod.name for pod in release.pods("transformer")], "the eviction")
        release.wait()
        seen = len(sent.answers)
        until(30, lambda: len(sent.answers) > seen + 30, "answers after it")
    say(f"two transformers evicted one after the other: {sent.summary()}; the second at once: {refused}")
    assert "disruption budget" in refused
    assert sent.failed == [], load.problems(sent)


def evict(namespace: Namespace, pod: str) -> str:
    """Asks for a pod's eviction; what the API server has against it, or nothing."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace.name}}
    path = f"/api/v1/namespaces/{namespace.name}/pods/{pod}/eviction"
    try:
        run("kubectl", "create", "--raw", path, "--filename", "-", stdin=json.dumps(body))
    except AssertionError as error:
        return str(error).partition("\n")[2].strip()
    return ""
