"""Locust against a real service: what it counts, what it checks, and what its exit code says."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.services import Service, free_port

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parent.parent.parent
IMAGES = ROOT / "tests" / "data"


def test_users_of_all_protocols_read_and_are_counted(service: Service, load: Any, tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    outcome = load(service, "-u", "5", "-r", "5", "-t", "12s", "--html", str(page))
    assert outcome.code == 0, outcome.output
    assert {row["protocol"]: row["failed"] for row in outcome.report["rows"]} == dict.fromkeys(
        ("raw", "v1", "v2", "binary", "grpc"), 0
    )
    assert all(row["read"] > 0 and row["p95_ms"] >= row["p50_ms"] > 0 for row in outcome.report["rows"]), outcome.output
    assert outcome.report["images_per_second"] > 0
    assert outcome.report["lines_per_second"] > 10 * outcome.report["images_per_second"]
    stages = {stage["name"]: stage for stage in outcome.report["stages"]}
    assert {"decode", "det", "boxes", "crops", "rec", "ctc", "queue", "infer"} <= stages.keys()
    assert all(stage["count"] > 0 and stage["mean_ms"] > 0 for stage in stages.values())
    assert "images/s" in outcome.output
    (track,) = outcome.report["tracks"]
    assert track["track"] == "-" and track["version"].startswith("ppocrv6-small/")
    assert track["images"] == sum(row["read"] for row in outcome.report["rows"])
    assert track["lines"] > 10 * track["images"] and track["p95_ms"] >= track["p50_ms"] > 0
    html = page.read_text()
    assert [title for title in ("Protocols", "Tracks and versions", "Stages") if f"<h2>{title}</h2>" not in html] == []
    assert "lines/s in" in html and "<td>decode</td>" in html and html.rstrip().endswith("</html>")


def test_processes_of_one_machine_add_up(service: Service, load: Any) -> None:
    outcome = load(service, "-u", "4", "-r", "4", "-t", "10s", "--processes", "2", "--mix", "raw,grpc")
    assert outcome.code == 0, outcome.output
    assert all(outcome.row(protocol)["read"] > 0 for protocol in ("raw", "grpc")), outcome.output
    assert outcome.report["images_per_second"] > 0 and outcome.report["lines_per_second"] > 0
    (track,) = outcome.report["tracks"]
    assert track["images"] == sum(row["read"] for row in outcome.report["rows"])


def test_workers_on_several_machines_add_up(service: Service, load: Any) -> None:
    """Two workers with the master's options, which they get from it, and their own from the environment."""
    port = str(free_port())
    worker = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--worker", "--master-port", port]
    workers = [subprocess.Popen(worker, cwd=ROOT, env={**os.environ, "PPOCR_LOAD_MIX": "raw"}) for _ in range(2)]
    try:
        distributed = ["--master", "--master-bind-port", port, "--expect-workers", "2"]
        outcome = load(service, *distributed, "-u", "2", "-r", "2", "-t", "8s", "--mix", "raw")
        assert outcome.code == 0, outcome.output
        assert outcome.row("raw")["read"] > 0
        assert [worker.wait(30) for worker in workers] == [0, 0]
    finally:
        for each in workers:
            each.kill()


def test_a_limit_that_is_broken_is_the_exit_code(service: Service, load: Any) -> None:
    outcome = load(service, "-u", "1", "-t", "4s", "--mix", "raw", "--p95-ms", "1", PPOCR_LOAD_P99_MS="60000")
    assert outcome.code == 1
    assert "limit broken: 95 % of raw took up to" in outcome.output
    assert "99 %" not in outcome.output
    assert outcome.row("raw")["failed"] == 0


def test_a_text_that_a_label_does_not_have_is_a_failure(service: Service, load: Any, copies: Path) -> None:
    labels = {path.stem: path.with_suffix(".csv").read_text() for path in IMAGES.glob("*.jpg")}
    names = sorted(labels)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        (copies / f"{name}.csv").write_text(labels[other])
    outcome = load(service, "-u", "2", "-t", "5s", "--mix", "raw,grpc", "--images", str(copies))
    assert outcome.code == 1
    assert "of the label's words were read" in outcome.output
    assert [outcome.row(protocol)["read"] for protocol in ("raw", "grpc")] == [0, 0]
    assert all(outcome.row(protocol)["failed"] > 0 for protocol in ("raw", "grpc"))
    allowed = load(service, "-u", "1", "-t", "4s", "--mix", "v2", "--images", str(copies), "--fail-ratio", "1")
    assert allowed.code == 1, "that everything failed may be allowed, but not that nothing was read"
    assert "nothing was read" in allowed.output


def test_answers_agree_with_a_reference_run(service: Service, load: Any, copies: Path, tmp_path: Path) -> None:
    """Made by `ppocr read --json` over another route: texts don't depend on how they were asked for."""
    reference = tmp_path / "reference.jsonl"
    read = [sys.executable, "-m", "ppocr", "read", "--json", "--url", service.url, str(copies)]
    reference.write_text(subprocess.run(read, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    options = ["-u", "2", "-t", "5s", "--mix", "v1,binary", "--images", str(copies), "--reference", str(reference)]
    outcome = load(service, *options)
    assert outcome.code == 0, outcome.output
    reference.write_text(reference.read_text().replace("STATIONERY", "STATIONARY"))
    outcome = load(service, *options)
    assert outcome.code == 1
    assert "075.jpg: other lines than in the reference" in outcome.output


def test_without_labels_all_answers_are_the_first_one(service: Service, load: Any, copies: Path) -> None:
    outcome = load(service, "-u", "3", "-t", "8s", "--mix", "raw,v2,grpc", "--images", str(copies))
    assert outcome.code == 0, outcome.output
    assert sum(row["read"] for row in outcome.report["rows"]) > len(list(copies.iterdir()))


def test_refusals_are_counted_apart_and_waited_for(load: Any, tmp_path: Path) -> None:
    """A service of one image at a time: Retry-After is a second, so that each user is refused once a second at most."""
    with services.all_in_one(tmp_path / "log", "--max_images", "1") as service:
        users, seconds = 6, 6
        options = ["-u", str(users), "-r", str(users), "-t", f"{seconds}s", "--mix", "raw=2,grpc=1"]
        outcome = load(service, *options)
        assert outcome.code == 0, outcome.output
        for protocol in ("raw", "grpc"):
            assert outcome.row(protocol)["refused"] > 0
            assert outcome.row(protocol)["failed"] == 0
        assert sum(row["refused"] for row in outcome.report["rows"]) <= users * (seconds + 1)
        outcome = load(service, *options, "--refused-ratio", "0.01")
        assert outcome.code == 1
        assert "requests were refused" in outcome.output


@contextmanager
def listener(seen: dict[str, bytes]) -> Iterator[int]:
    """A port that keeps the first bytes of all connections by their kind, and hangs up."""

    def keep(connection: socket.socket) -> None:
        with connection:
            received = b""
            # The first bytes of HTTP/2 end in SM; what the client asks for follows after the server's empty SETTINGS.
            while b"ocr.example.com" not in received and (chunk := connection.recv(65536)):
                if not received and chunk.startswith(b"PRI"):
                    connection.sendall(b"\0\0\0\4\0\0\0\0\0")
                received += chunk
            if not received:  # a connection that was opened and never used
                return
            kind = "grpc" if received.startswith(b"PRI") else received.split()[1].decode()
            seen[kind] = seen.get(kind, b"") + received

    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=keep, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_a_gateway_is_asked_for_a_host(load: Any, tmp_path: Path) -> None:
    seen: dict[str, bytes] = {}
    with listener(seen) as port:
        asked = Service(subprocess.Popen([sys.executable, "-c", ""]), port, port, tmp_path / "log")
        load(asked, "-u", "2", "-t", "4s", "--mix", "raw,grpc", "--host-header", "ocr.example.com")
        asked.process.wait()
    assert seen.keys() == {"grpc", "/v1/models/ppocr:predict", "/metrics"}
    assert b"ocr.example.com" in seen["grpc"]
    assert b"Host: ocr.example.com\r\n" in seen["/v1/models/ppocr:predict"]
    assert b"Host: ocr.example.com\r\n" in seen["/metrics"]


def test_a_service_that_is_away_is_a_failure(load: Any, tmp_path: Path) -> None:
    port = free_port()
    nobody = Service(subprocess.Popen([sys.executable, "-c", ""]), port, port, tmp_path / "log")
    outcome = load(nobody, "-u", "2", "-t", "3s", "--mix", "raw,grpc", "--think-min", "0.2")
    nobody.process.wait()
    assert outcome.code == 1
    assert "nothing was read" in outcome.output
    assert "UNAVAILABLE" in outcome.output
    assert "times by stage: none, as" in outcome.output
    assert outcome.report["stages"] is None


def test_every_option_is_documented() -> None:
    text = (ROOT / "docs" / "loadtest.md").read_text()
    options = re.findall(r'^    option\("([a-z0-9-]+)"', (ROOT / "loadtest" / "options.py").read_text(), re.MULTILINE)
    assert len(options) > 15
    assert [name for name in options if f"`--{name}`" not in text] == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--mix", "raw=x"], "--mix has 'raw=x'"),
        (["--mix", "raw=0"], "gives no user a weight"),
        (["--images", "/nowhere"], "there are no image files in /nowhere"),
        (["--fail-ratio", "2"], "--fail-ratio is 2.0, and must be from 0 to 1"),
        (["--reference", "README.md"], "is not what `ppocr read --json` writes"),
    ],
)
def test_wrong_options_are_said_at_once(service: Service, load: Any, options: list[str], sentence: str) -> None:
    outcome = load(service, "-t", "60s", *options)
    assert outcome.code == 2
    assert sentence in outcome.output
