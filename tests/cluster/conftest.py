"""A namespace of the tests' own with one release of the chart in it; nothing is left behind."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.kube import Json, Namespace, run, until
from tests.cluster.load import Gateway
from tests.cluster.release import Release

GATEWAY = ("kserve", "kserve-ingress-gateway")


@pytest.fixture(scope="session")
def namespace() -> Iterator[Namespace]:
    """Deleted at the end, and with it all that is in it."""
    run("kubectl", "get", "crd", "inferenceservices.serving.kserve.io", "httproutes.gateway.networking.k8s.io")
    name = f"ppocr-test-{secrets.token_hex(3)}"
    run("kubectl", "create", "namespace", name)
    yield Namespace(name)
    run("kubectl", "delete", "namespace", name, "--wait=true", "--timeout=180s")


@pytest.fixture(scope="session")
def gateway_url() -> str:
    """The address of KServe's gateway."""

    def address() -> str:
        found: Json = json.loads(run("kubectl", "-n", GATEWAY[0], "get", "gateway", GATEWAY[1], "-o", "json"))
        return next((each["value"] for each in found.get("status", {}).get("addresses", ())), "")

    return f"http://{until(60, address, 'an address of the gateway')}"


@pytest.fixture(scope="module")
def release(namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The chart as it is, with small pods; each module has its own."""
    release = Release(namespace, "ppocr", tmp_path_factory.mktemp("release"))
    release.upgrade()
    yield release
    namespace.helm("uninstall", release.name, "--wait")
    until(120, lambda: not namespace.pods("component in (transformer, predictor)"), "the end of the pods")


@pytest.fixture(scope="module")
def gateway(release: Release, gateway_url: str) -> Gateway:
    return Gateway(gateway_url, release.host)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure, also where pytest keeps output to itself."""

    def speak(text: str) -> None:
        with capsys.disabled():
            print(f"\n    {text}", flush=True)

    return speak
