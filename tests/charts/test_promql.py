"""Alerts and dashboard, in the eyes of a real Prometheus: all expressions parse, and the alerts fire on what they are about."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import yaml

from tests.charts.programs import CHART, template
from tests.needs import program

#: What a broken transformer and a saturated predictor show: metric, pod, labels, and the value, where None climbs.
PREDICT = 'route="/v1/models/{model_name}:predict"'
SHOWN = [
    ("ppocr_requests_total", "ppocr-stable-transformer-1", f'{PREDICT},code="200"', None),
    ("ppocr_requests_total", "ppocr-stable-transformer-1", f'{PREDICT},code="500"', None),
    ("ppocr_requests_total", "ppocr-stable-transformer-1", 'route="grpc:ModelInfer",code="RESOURCE_EXHAUSTED"', None),
    ("ppocr_requests_total", "ppocr-canary-transformer-1", f'{PREDICT},code="200"', None),
    ("ppocr_requests_total", "ppocr-canary-transformer-1", 'route="/v2/health/ready",code="503"', None),
    ("ppocr_request_seconds_bucket", "ppocr-stable-transformer-1", f'{PREDICT},le="5"', 0),
    ("ppocr_request_seconds_bucket", "ppocr-stable-transformer-1", f'{PREDICT},le="10"', None),
    ("ppocr_request_seconds_bucket", "ppocr-stable-transformer-1", f'{PREDICT},le="+Inf"', None),
    ("ppocr_queue_oldest_seconds", "ppocr-stable-predictor-1", "", 30),
    ("ppocr_queue_oldest_seconds", "ppocr-canary-predictor-1", "", 1),
    ("ppocr_batch_pixels_total", "ppocr-stable-predictor-1", 'model="det"', 7),
    ("kube_pod_container_status_restarts_total", "ppocr-stable-predictor-1", 'container="kserve-container"', None),
    ("kube_deployment_spec_replicas", "", 'deployment="ppocr-stable-predictor"', 4),
    ("kube_deployment_status_replicas_available", "", 'deployment="ppocr-stable-predictor"', 3),
]


def exported(climbing: float) -> str:
    """The metrics as a scrape finds them."""
    lines = []
    for metric, pod, labels, value in SHOWN:
        all_ = ",".join(part for part in ('namespace="ocr"', pod and f'pod="{pod}"', labels) if part)
        lines.append(f"{metric}{{{all_}}} {climbing if value is None else value}\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def exporter() -> Iterator[int]:
    """Port of a server of those metrics."""
    started = time.monotonic()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(exported(1000 * (time.monotonic() - started)).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, exporter: int) -> Iterator[httpx.Client]:
    """A Prometheus with the chart's alerts for two tracks, whose waits (`for`) are left out."""
    binary = program("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    values = CHART / "ci" / "monitoring-values.yaml"
    options = ("--set", "predictor.autoscaling.kind=hpa", "--show-only", "templates/prometheusrule.yaml")
    rules = yaml.safe_load(template("--values", values, *options).stdout)["spec"]
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    config = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "rule_files": [str(folder / "rules.yaml")],
        "scrape_configs": [
            {
                "job_name": "pods",
                "honor_labels": True,
                "scrape_timeout": "400ms",
                "static_configs": [{"targets": [f"127.0.0.1:{exporter}"]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        binary,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    log = folder / "log"
    with (
        log.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=out) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        try:
            wait(lambda: process.poll() is not None or answers(client))
            assert process.poll() is None, log.read_text()
            yield client
        finally:
            process.terminate()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def wait(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def test_the_dashboards_expressions_parse(prometheus: httpx.Client) -> None:
    dashboard = json.loads((Path(CHART) / "dashboards" / "ppocr.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(expressions) >= 20
    for expression in expressions:
        filled = expression.replace("$namespace", "ocr").replace("$track", "(ppocr-stable|ppocr-canary)")
        answer = prometheus.get("/api/v1/query", params={"query": filled.replace("$__rate_interval", "1m")}).json()
        assert answer["status"] == "success", f"{expression}: {answer}"


def test_alerts_fire_on_what_they_are_about(prometheus: httpx.Client) -> None:
    wanted = {
        ("PpocrErrors", "stable"),
        ("PpocrRefuses", "stable"),
        ("PpocrSlow", "stable"),
        ("PpocrQueueOld", "stable"),
        ("PpocrNotReady", "stable"),
        ("PpocrAtMost", "stable"),
        ("PpocrRestarts", "stable"),
        ("PpocrGpuIdle", "stable"),
    }
    firing: set[tuple[str, str]] = set()

    def all_fire() -> bool:
        alerts = prometheus.get("/api/v1/alerts").json()["data"]["alerts"]
        firing.clear()
        firing.update((alert["labels"]["alertname"], alert["labels"]["track"]) for alert in alerts)
        return firing >= wanted

    try:
        wait(all_fire)
    finally:
        assert firing == wanted
