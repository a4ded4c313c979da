"""The chart without KServe: Deployments and Services, the same routes, a canary, and nothing lost while pods are replaced."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.kube import Json, new_namespace, nightly, until
from tests.cluster.load import Gateway, answers, problems, steady
from tests.cluster.release import NEXT_TAG, Release

Say = Callable[[str], None]
ENVIRONMENT = {
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "POSIX",
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "SSL_CERT_FILE": "/site/ca.crt",
}
#: What a site brings: a user that no image knows, as OpenShift chooses one for each namespace, and an environment.
_OF_A_PART: Json = {
    "extraEnv": [{"name": name, "value": value} for name, value in ENVIRONMENT.items()],
    "extraVolumes": [{"name": "site", "configMap": {"name": "kube-root-ca.crt"}}],
    "extraVolumeMounts": [{"name": "site", "mountPath": "/site"}],
}
USER = 1234567
SITE: Json = {
    "podSecurityContext": {"runAsUser": USER, "runAsGroup": 0, "fsGroup": None},
    "transformer": _OF_A_PART,
    "predictor": _OF_A_PART,
}


@dataclass(frozen=True)
class Plain(Release):
    """A release in mode `plain`, in a namespace of its own."""

    def upgrade(self, *flags: str, wait: bool = True, **values: Any) -> None:
        super().upgrade("--wait", *flags, wait=False, mode="plain", **values)

    def files(self, values: Json) -> tuple[str, ...]:
        site = self.folder / "site.json"
        site.write_text(json.dumps(SITE))
        return ("--values", str(site), *super().files(values))

    def track(self, name: str = "stable") -> str:
        return f"app.kubernetes.io/instance={self.name},ppocr/track={name}"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    """It is `restricted`, and has no InferenceService."""
    with new_namespace("ppocr-plain", "pod-security.kubernetes.io/enforce=restricted") as made:
        release = Plain(made, "ppocr", tmp_path_factory.mktemp("plain"))
        release.upgrade(verify={"hook": True})
        yield release


@pytest.fixture(scope="module")
def gateway(plain: Plain, gateway_url: str) -> Gateway:
    return Gateway(gateway_url, plain.host)


def test_it_serves_and_says_so(plain: Plain, say: Say) -> None:
    report = plain.namespace.helm("test", plain.name)
    assert report.count("Succeeded") >= 4 and "Failed" not in report
    assert plain.namespace.get("inferenceservices")["items"] == []
    say(plain.namespace.kubectl("get", "deployments,services,pdb"))


def test_its_pods_run_as_a_user_that_no_image_knows(plain: Plain) -> None:
    """Nothing can be written but /tmp, and the environment is the site's."""
    look = "id -u; date +%Z; touch /opt/ppocr/file 2>&1 || touch /tmp/file; tr '\\0' '\\n' </proc/1/environ"
    for pod in plain.namespace.pods(plain.track()):
        user, zone, refused, *environment = plain.namespace.kubectl("exec", pod.name, "--", "sh", "-c", look).split(
            "\n"
        )
        assert (user, zone) == (str(USER), "+0545"), pod.name
        assert "Read-only file system" in refused
        assert {f"{name}={value}" for name, value in ENVIRONMENT.items()} <= set(environment)


def test_nothing_is_lost_while_pods_are_replaced(plain: Plain, gateway: Gateway, say: Say) -> None:
    with steady(gateway) as sent:
        plain.upgrade(predictor={"restartedAt": "1"}, transformer={"restartedAt": "1"})
    say(f"a rolling update of both Deployments: {sent.summary()}")
    assert problems(sent) == {}


@nightly
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
    # The gateway draws lots: its standard deviation here is 4 points.
    assert 8 <= shares["canary"] <= 32
    pairs = {(each.track, each.model) for each in sent.answers}
    assert pairs == {("stable", "ppocrv6-small/1"), ("canary", "ppocrv6-small/2")}
    until(60, lambda: not plain.namespace.pods(plain.track("canary")), "the end of the canary's pods")
    assert plain.namespace.pods(plain.track()) != []
