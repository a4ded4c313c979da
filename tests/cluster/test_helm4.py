"""Helm 4, which applies on the server's side: installs, waits, and takes nothing from `ppocr rollout`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.kube import Namespace, new_namespace, nightly
from tests.cluster.load import Gateway, steady
from tests.cluster.release import CHART, Release
from tests.cluster.test_plain import Plain
from tests.needs import program

pytestmark = nightly
Say = Callable[[str], None]
BOTH = {"enabled": True, "weight": 0}
NO_PREDICTOR = {"predictor": {"image": {"tag": "no-such-tag"}}}


@pytest.fixture(scope="module")
def space() -> Iterator[Namespace]:
    with new_namespace("ppocr-helm4", helm_program=program("helm4")) as made:
        yield made


@pytest.fixture(scope="module")
def release(space: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Release:
    release = Release(space, "ppocr", tmp_path_factory.mktemp("helm4"))
    release.upgrade()
    return release


@pytest.fixture(scope="module")
def gateway(release: Release, gateway_url: str) -> Gateway:
    return Gateway(gateway_url, release.host)


def rollout(release: Release, *options: str) -> str:
    command = [sys.executable, "-m", "ppocr", "rollout", release.name, "--namespace", release.namespace.name, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def weights(release: Release, route: str) -> set[tuple[int, ...]]:
    rules = release.namespace.get("httproute", route)["spec"]["rules"]
    return {tuple(backend["weight"] for backend in rule["backendRefs"]) for rule in rules}


def test_an_upgrade_after_a_rollout_conflicts_with_nobody(release: Release, gateway: Gateway, say: Say) -> None:
    release.upgrade(canary=BOTH)
    with steady(gateway):
        plan = ("--steps", "50", "--hold", "4s", "--interval", "1s", "--min-requests", "10", "--max-p95-ratio", "4")
        rollout(release, *plan)
    changed = {"gateway": {"annotations": {"a": "b"}}, "canary": BOTH}
    release.upgrade(**changed)
    assert weights(release, "ppocr-rollout") == {(50, 50)}
    generations = []
    for _ in range(3):
        rendered = release.namespace.helm("template", release.name, str(CHART), "--no-hooks", *release.files(changed))
        release.namespace.kubectl("apply", "--server-side", "--force-conflicts", "--filename", "-", stdin=rendered)
        generations.append(release.generations(rendered))
    assert generations[0] == generations[1] == generations[2]
    assert weights(release, "ppocr-rollout") == {(50, 50)}
    say(f"Helm 4: three applies of {len(generations[0])} objects changed none; the rollout's weight is where it was")
    rollout(release, "--end")


def test_its_hook_waits_and_refuses(release: Release, say: Say) -> None:
    def upgrade(*flags: str, seconds: int, **values: Any) -> str:
        # kubectl owns what it has applied above, too.
        files = release.files({"verify": {"hook": True, "timeoutSeconds": seconds}, **values})
        command = ("upgrade", release.name, str(CHART), "--force-conflicts", *flags, *files)
        return release.namespace.helm(*command, check=False, both=True)

    assert "has been upgraded" in upgrade("--wait=legacy", seconds=60)
    said = upgrade(seconds=10, **NO_PREDICTOR)
    say(f"Helm 4's hook, after kubectl: {said[-300:]}")
    assert "Deployment ppocr-stable-predictor" in said and "has been upgraded" not in said
    # It applies what it is told, whatever it takes for there: no rollback is needed.
    assert "has been upgraded" in upgrade("--wait=legacy", seconds=60)
    release.wait()


def test_it_waits_for_deployments_by_itself(
    space: Namespace, tmp_path_factory: pytest.TempPathFactory, say: Say
) -> None:
    plain = Plain(space, "plain-ppocr", tmp_path_factory.mktemp("plain4"))
    plain.upgrade()
    said = space.helm(
        "upgrade",
        plain.name,
        str(CHART),
        "--wait",
        "--timeout=15s",
        *plain.files({"mode": "plain", **NO_PREDICTOR}),
        check=False,
        both=True,
    )
    assert "has been upgraded" not in said
    say(f"Helm 4 --wait, mode plain, an image that isn't there: {said[-200:]}")
    plain.upgrade()
    space.helm("uninstall", plain.name)
