"""One release of the chart for all modules, in a namespace of the tests' own, and a claim with bundles; nothing is left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.cluster import images
from tests.cluster.bundles import Shelf, claimed
from tests.cluster.kube import Json, Namespace, new_namespace, run, until
from tests.cluster.load import Gateway
from tests.cluster.release import Release

GATEWAY = ("kserve", "kserve-ingress-gateway")


@pytest.fixture(scope="session")
def namespace() -> Iterator[Namespace]:
    run("kubectl", "get", "crd", "inferenceservices.serving.kserve.io", "httproutes.gateway.networking.k8s.io")
    with new_namespace("ppocr-test") as made:
        yield made


@pytest.fixture(scope="session")
def gateway_url() -> str:
    """The address of KServe's gateway."""

    def address() -> str:
        found: Json = json.loads(run("kubectl", "-n", GATEWAY[0], "get", "gateway", GATEWAY[1], "-o", "json"))
        return next((each["value"] for each in found.get("status", {}).get("addresses", ())), "")

    return f"http://{until(60, address, 'an address of the gateway')}"


@dataclass(frozen=True)
class Installed:
    """A release, and the seconds from nothing until its pods were ready and until a text came through the gateway."""

    release: Release
    ready: float
    read: float


@pytest.fixture(scope="session")
def installed(namespace: Namespace, gateway_url: str, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The chart as it is, with small pods."""
    release = Release(namespace, "ppocr", tmp_path_factory.mktemp("release"))
    began = time.monotonic()
    release.upgrade()
    ready = time.monotonic() - began
    gateway = Gateway(gateway_url, release.host)
    with gateway.client() as client:
        until(30, lambda: gateway.read(client, images.line()).text == images.TEXT, "a text through the gateway")
    return Installed(release, ready, time.monotonic() - began)


@pytest.fixture(scope="module")
def release(installed: Installed) -> Release:
    """The one release, at its first values again when a module begins."""
    installed.release.upgrade()
    return installed.release


@pytest.fixture(scope="module")
def gateway(release: Release, gateway_url: str) -> Gateway:
    return Gateway(gateway_url, release.host)


@pytest.fixture(scope="session")
def shelf(namespace: Namespace) -> Iterator[Shelf]:
    """A claim with version 1, which is v6, and a pod that may write to it."""
    with claimed(namespace) as shelf:
        yield shelf


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure, also where pytest keeps output to itself."""

    def speak(text: str) -> None:
        with capsys.disabled():
            print(f"\n    {text}", flush=True)

    return speak
