"""Load at a rate that doesn't wait for answers, and what Locust's page shows of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.services import Service, free_port

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parent.parent.parent


def test_users_at_a_rate_wait_for_nobody_and_the_page_shows_it(service: Service, tmp_path: Path) -> None:
    """A user that sends more images a second than the service reads: several are under way at a time."""
    port, report = free_port(), tmp_path / "report.json"
    command = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--web-port", str(port)]
    options = ["--autostart", "--autoquit", "1", "-u", "1", "-t", "3s", "--stop-timeout", "60", "--mix", "raw"]
    address = ["--host", service.url, "--grpc-target", service.grpc, "--report", str(report), "--user-rate", "3"]
    with subprocess.Popen(
        [*command, *options, *address], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as run:
        most, shown = 0.0, dict[str, Any]()
        while run.poll() is None:
            with suppress(httpx.HTTPError, ValueError):
                most = max(most, in_flight(service))
                answer = httpx.get(f"http://127.0.0.1:{port}/stats/requests").json()
                shown = {each["key"]: each["data"] for each in answer["extended_stats"]} or shown
            time.sleep(0.2)
        assert run.returncode == 0, run.stdout and run.stdout.read().decode()
    assert most > 1
    assert shown["ppocr-tracks"][0]["version"].startswith("ppocrv6-small/")
    assert {row["stage"] for row in shown["ppocr-stages"]} >= {"decode", "det", "rec"}
    assert float(shown["ppocr-tracks"][0]["lines/s"]) > 0
    figures = json.loads(report.read_text())
    assert all(row["read"] > 0 and row["failed"] == 0 for row in figures["rows"])


def in_flight(service: Service) -> float:
    """Requests that the service answers now, apart from the one that asks."""
    text = httpx.get(f"{service.url}/metrics").text
    return float(re.search(r"^ppocr_requests_in_flight (\S+)", text, re.MULTILINE)[1]) - 1  # type: ignore[index]
