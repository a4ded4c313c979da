"""The chart without KServe: Deployments and Services, the same routes, a canary, and nothing lost while pods are replaced."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.kube import Namespace, run, until
from tests.cluster.load import Gateway, answers, problems, steady
from tests.cluster.release import NEXT_TAG, Release

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plain(Release):
    """A release in mode `plain`, in a namespace of its own."""

    def upgrade(self, *flags: str, wait: bool = True, **values: Any) -> None:
        super().upgrade("--wait", *flags, wait=False, mode="plain", **values)

    def track(self, name: str = "stable") -> str:
        return f"app.kubernetes.io/instance={self.name},ppocr/track={name}"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    """It is `restricted`, and has no InferenceService."""
    name = f"ppocr-plain-{secrets.token_hex(3)}"
    run("kubectl", "create", "namespace", name)
    run("kubectl", "label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    release = Plain(Namespace(name), "ppocr", tmp_path_factory.mktemp("plain"))
    release.upgrade(verify={"hook": True})
    yield release
    release.namespace.helm("uninstall", release.name, "--wait")
    run("kubectl", "delete", "namespace", name, "--wait=true", "--timeout=180s")


@pytest.fixture(scope="module")
def gateway(plain: Plain, gateway_url: str) -> Gateway:
    return Gateway(gateway_url, plain.host)


def test_it_serves_and_says_so(plain: Plain, say: Say) -> None:
    report = plain.namespace.helm("test", plain.name)
    assert report.count("Succeeded") >= 4 and "Failed" not in report
    assert plain.namespace.get("inferenceservices")["items"] == []
    say(plain.namespace.kubectl("get", "deployments,services,pdb"))


def test_nothing_is_lost_while_pods_are_replaced(plain: Plain, gateway: Gateway, say: Say) -> None:
    with steady(gateway) as sent:
        plain.upgrade(predictor={"restartedAt": "1"}, transformer={"restartedAt": "1"})
    say(f"a rolling update of both Deployments: {sent.summary()}")
    assert problems(sent) == {}


@pytest.mark.skipif(not os.environ.get("PPOCR_NIGHTLY"), reason="nightly: PPOCR_NIGHTLY=1")
def test_a_canary_comes_by_ppocr_rollout_and_goes(plain: Plain, gateway: Gateway, say: Say) -> None:
    canary = {"enabled": True, "weight": 0, "predictor": {"image": {"tag": NEXT_TAG}}}
    plain.upgrade(canary=canary)
    plan = ("--steps", "50", "--hold", "4s", "--interval", "1s", "--min-requests", "10", "--max-p95-ratio", "4")
    names = (plain.name, "--namespace", plain.namespace.name)
    command = [sys.executable, "-m", "ppocr", "rollout", *names]
    with steady(gateway) as sent:
        done = subprocess.run([*command, *plan], capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        until(30, lambda: answers(gateway, 20).by_track()["canary"] > 0, "answers of the canary")
        subprocess.run([*command, "--end"], check=True, timeout=60)
        plain.upgrade(canary={**canary, "weight": 20})
        shares = answers(gateway, 100).by_track()
        plain.upgrade(canary=canary)
        until(30, lambda: answers(gateway, 20).by_track() == {"stable": 20}, "the end of the canary's requests")
    plain.upgrade()
    say(f"a canary without KServe: {sent.summary()}; at 20 %: {dict(shares)}\n{done.stdout}")
    assert problems(sent) == {}
    assert shares["canary"] == 20
    pairs = {(each.track, each.model) for each in sent.answers}
    assert pairs == {("stable", "ppocrv6-small/1"), ("canary", "ppocrv6-small/2")}
    until(60, lambda: not plain.namespace.pods(plain.track("canary")), "the end of the canary's pods")
    assert plain.namespace.pods(plain.track()) != []
