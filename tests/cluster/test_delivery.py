"""What a platform team adds to a release: traces to a collector, a search for its capacity, a chart from a registry. Nightly."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ppocr import __version__
from tests.cluster import images
from tests.cluster.kube import Json, Namespace, nightly, run, until
from tests.cluster.load import Gateway
from tests.cluster.release import TAG, Release
from tests.needs import program
from tests.ppocr_tracing.collector import Span, collector
from tests.registry import registry, released

pytestmark = nightly


@pytest.fixture(scope="module")
def node() -> str:
    """An address of this machine that pods reach: the tests run where the cluster's network is."""
    path = 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}'
    return run("kubectl", "get", "nodes", "-o", path)


@contextlib.contextmanager
def otelcol(namespace: Namespace, to: str) -> Iterator[str]:
    """OpenTelemetry's own collector as a pod and a Service; what it collects it sends on to `to`. Yields its address."""
    pipeline = {"receivers": ["otlp"], "exporters": ["otlp_grpc"]}
    config: Json = {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}}}},
        "exporters": {"otlp_grpc": {"endpoint": to.removeprefix("http://"), "tls": {"insecure": True}}},
        "service": {"telemetry": {"metrics": {"level": "none"}}, "pipelines": {"traces": pipeline}},
    }
    # Its program is copied in, so that any cluster can run it.
    wait = "until [ -x /tmp/otelcol ]; do sleep 0.2; done"
    script = f"echo '{json.dumps(config)}' >/tmp/config.yaml; {wait}; exec /tmp/otelcol --config /tmp/config.yaml"
    container: Json = {"name": "otelcol", "image": f"ppocr-transformer:{TAG}", "command": ["sh", "-ec", script]}
    container["readinessProbe"] = {"tcpSocket": {"port": 4317}, "periodSeconds": 1}
    meta = {"name": "otelcol", "labels": {"app": "otelcol"}}
    ports = [{"port": 4317, "appProtocol": "kubernetes.io/h2c"}]
    namespace.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": meta["labels"], "ports": ports}},
    )
    namespace.kubectl("wait", "pod/otelcol", "--for=jsonpath={.status.phase}=Running", "--timeout=60s")
    namespace.kubectl("cp", program("otelcol"), "otelcol:/tmp/otelcol.part")
    namespace.kubectl(
        "exec", "otelcol", "--", "sh", "-ec", "chmod +x /tmp/otelcol.part; mv /tmp/otelcol.part /tmp/otelcol"
    )
    namespace.kubectl("wait", "pod/otelcol", "--for=condition=Ready", "--timeout=60s")
    yield f"http://otelcol.{namespace.name}.svc:4317"
    namespace.kubectl("delete", "pod/otelcol", "service/otelcol", "--wait=false")


def test_a_trace_from_the_gateway_to_the_predictor(
    release: Release, gateway: Gateway, node: str, say: Callable[[str], None]
) -> None:
    parts = {release.isvc() + "-transformer", release.isvc() + "-predictor"}
    stages = {"decode", "det", "rec", "infer"}
    out = [{"to": [{"podSelector": {"matchLabels": {"app": "otelcol"}}}]}]
    with (
        collector(node) as collected,
        otelcol(release.namespace, collected.address) as address,
        gateway.client() as client,
    ):
        release.upgrade(tracing={"endpoint": address}, networkPolicy={"transformerEgress": out, "predictorEgress": out})
        caller = secrets.token_hex(8)

        def traced() -> list[Span]:
            # A predictor that was replaced goes on answering for its `lame_duck_seconds`, untraced.
            trace = secrets.token_hex(16)
            assert gateway.read(client, images.line(), traceparent=f"00-{trace}-{caller}-01").text == images.TEXT
            found = collected.trace(trace, caller, seconds=10)
            # Nor has all of a trace come where its first spans have: each part sends its own in pieces.
            whole = {span.service for span in found} == parts and stages <= {span.name for span in found}
            return found if whole else []

        spans = until(90, traced, "a trace of both parts")
    assert all(span.parent in {caller, *(each.span for each in spans)} for span in spans), "it is one tree"
    began = min(span.begin for span in spans)
    for span in sorted(spans, key=lambda span: span.begin):
        part = span.service.removeprefix(f"{release.name}-")
        say(f"{(span.begin - began) / 1e6:7.1f} ms + {(span.end - span.begin) / 1e6:7.1f} ms  {part}  {span.name}")
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


def test_the_charts_are_installed_from_a_registry(
    namespace: Namespace, node: str, tmp_path: Path, gateway_url: str
) -> None:
    (tmp_path / "blobs").mkdir()
    release = Release(namespace, "ppocr-oci", tmp_path)
    with registry(tmp_path / "blobs", node) as address:
        released(address, "charts")
        chart = f"oci://{address}/team/charts/ppocr"
        own = release.files({"transformer": {"image": {"tag": TAG}}, "predictor": {"image": {"tag": TAG}}})
        namespace.helm("install", release.name, chart, "--version", __version__, "--plain-http", *own)
        runtime = ("ppocr-runtime", f"oci://{address}/team/charts/ppocr-runtime", "--set", f"image.tag={TAG}")
        namespace.helm("install", *runtime, "--version", __version__, "--plain-http")
    release.wait()
    gateway = Gateway(gateway_url, release.host)
    with gateway.client() as client:
        until(60, lambda: gateway.read(client, images.line()).text == images.TEXT, "a text through the gateway")
    namespace.helm("uninstall", release.name)
    model = {"modelFormat": {"name": "ppocr"}, "storageUri": "ppocr://built-in"}
    spec: Json = {"predictor": {"model": model}}
    kind = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "ten-lines"}}
    namespace.apply({**kind, "spec": spec})
    until(
        120, lambda: [pod for pod in namespace.pods("app=isvc.ten-lines-predictor") if pod.ready], "the runtime's pod"
    )
    namespace.kubectl("delete", "isvc", "ten-lines")
    namespace.helm("uninstall", "ppocr-runtime")
