"""What a platform team adds to a release: traces to a collector, a search for its capacity, a chart from a registry. Nightly."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from ppocr import __version__
from tests.cluster import images
from tests.cluster.kube import Namespace, run, until
from tests.cluster.load import Gateway
from tests.cluster.release import TAG, Release
from tests.ppocr_tracing.collector import collector
from tests.registry import registry, released

pytestmark = pytest.mark.skipif(not os.environ.get("PPOCR_NIGHTLY"), reason="takes minutes: nightly")


@pytest.fixture(scope="module")
def node() -> str:
    """An address of this machine that pods reach: the tests run where the cluster's network is."""
    path = 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}'
    return run("kubectl", "get", "nodes", "-o", path)


def test_a_trace_from_the_gateway_to_the_predictor(release: Release, gateway: Gateway, node: str) -> None:
    trace = secrets.token_hex(16)
    out = [{"to": [{"ipBlock": {"cidr": f"{node}/32"}}]}]
    with collector(node) as collected, gateway.client() as client:
        release.upgrade(
            tracing={"endpoint": collected.address},
            networkPolicy={"transformerEgress": out, "predictorEgress": out},
        )
        caller = secrets.token_hex(8)
        header = f"00-{trace}-{caller}-01"

        def read() -> bool:
            return gateway.read(client, images.line(), traceparent=header).text == images.TEXT

        until(60, read, "a text through the gateway")
        spans = collected.trace(trace, caller, seconds=60)
    assert {span.service for span in spans} == {release.isvc() + "-transformer", release.isvc() + "-predictor"}
    assert {"decode", "det", "rec", "infer"} <= {span.name for span in spans}
    release.upgrade()


def test_a_job_searches_what_each_track_reads(
    release: Release, namespace: Namespace, say: Callable[[str], None]
) -> None:
    fast = ["--step_seconds=4", "--min_requests=3", "--start=0.5", "--highest=0.5"]
    release.upgrade(capacity={"enabled": True, "p95Seconds": 20, "rate": 2, "extraArgs": fast})
    job = until(30, lambda: _job(namespace), "the Job")
    namespace.kubectl("wait", job, "--for=condition=Complete", "--timeout=240s")
    said = namespace.kubectl("logs", job)
    say(said)
    assert "0.50 images/s" in said and "for 2 images/s" in said
    assert "stable  transformer" in said and "stable  predictor" in said
    release.upgrade()


def _job(namespace: Namespace) -> str:
    names = namespace.kubectl("get", "jobs", "-o", "name").split()
    return next((name for name in names if "-capacity-" in name), "")


def test_the_chart_is_installed_from_a_registry(
    namespace: Namespace, node: str, tmp_path: Path, gateway_url: str
) -> None:
    (tmp_path / "blobs").mkdir()
    release = Release(namespace, "ppocr-oci", tmp_path)
    with registry(tmp_path / "blobs", node) as address:
        released(address, "chart")
        chart = f"oci://{address}/team/charts/ppocr"
        own = release.files({"transformer": {"image": {"tag": TAG}}, "predictor": {"image": {"tag": TAG}}})
        namespace.helm("install", release.name, chart, "--version", __version__, "--plain-http", *own)
    release.wait()
    gateway = Gateway(gateway_url, release.host)
    with gateway.client() as client:
        until(60, lambda: gateway.read(client, images.line()).text == images.TEXT, "a text through the gateway")
    namespace.helm("uninstall", release.name, "--wait")
