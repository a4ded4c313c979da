"""Load through the gateway: minutes of Locust without an error, and what the whole way costs beside one process."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.cluster import load
from tests.cluster.kube import nightly
from tests.cluster.load import Gateway
from tests.cluster.release import Release
from tests.services import Service

ROOT = Path(__file__).parents[2]
IMAGES = sorted((ROOT / "tests" / "data").glob("*.jpg"))
SECONDS = int(os.environ.get("PPOCR_TEST_LOAD_SECONDS", "300"))
CLIENTS = 8
ROUNDS, REQUESTS = 6, 24
Say = Callable[[str], None]

pytestmark = nightly


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`ppocr serve` on the node's own cores, beside the pods."""
    with services.all_in_one(tmp_path_factory.mktemp("one") / "log") as running:
        yield running


def test_minutes_of_locust(release: Release, gateway: Gateway, tmp_path: Path, say: Say) -> None:
    address = gateway.url.removeprefix("http://")
    report = tmp_path / "report.json"
    options = {
        "--host": gateway.url,
        "--host-header": release.host,
        "--grpc-target": f"{address}:80",
        "--authority": release.grpc_host,
        "--report": str(report),
        "-u": "5",
        "-r": "5",
        "-t": f"{SECONDS}s",
    }
    command = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless", "--only-summary"]
    flags = [word for option in options.items() for word in option]
    done = subprocess.run(
        [*command, *flags], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + 120, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    figures: dict[str, Any] = json.loads(report.read_text())
    read = sum(row["read"] for row in figures["rows"])
    slowest = max(row["p99_ms"] for row in figures["rows"])
    say(
        f"Locust for {SECONDS} s over {', '.join(row['protocol'] for row in figures['rows'])}: {read} images, "
        f"{figures['lines_per_second']:.0f} lines/s, highest p99 {slowest:.0f} ms, "
        f"{sum(row['failed'] for row in figures['rows'])} failed, {sum(row['refused'] for row in figures['rows'])} refused"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert read > 0 and all(row["failed"] == row["refused"] == 0 for row in figures["rows"])


def test_what_the_whole_way_costs(gateway: Gateway, one_process: Service, say: Say) -> None:
    """Gateway, two pods and gRPC between them, against one process on the same cores: while one is asked, the other rests."""
    ways = {"one process": Gateway(one_process.url, "127.0.0.1"), "the whole way": gateway}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(2):  # the networks meet the sizes of these images, in batches of several make-ups
        for target in ways.values():
            read_all(target)
    for _ in range(ROUNDS):
        for way, target in ways.items():
            rates[way].append(read_all(target))
    ratio = statistics.median(
        whole / alone for alone, whole in zip(rates["one process"], rates["the whole way"], strict=True)
    )
    rest = busy(10.0)
    shown = {way: [round(rate, 2) for rate in each] for way, each in rates.items()}
    say(
        f"images/s with {CLIENTS} clients: {shown}: the whole way costs {1 - ratio:.1%}; at rest the cluster takes "
        f"{rest:.1%} of the cores"
    )
    assert ratio >= 0.85


def read_all(target: Gateway) -> float:
    """Images a second, of REQUESTS receipts."""
    work = [image.read_bytes() for image in IMAGES] * (REQUESTS // len(IMAGES))
    began = time.monotonic()
    sent = load.answers_to(target, work, CLIENTS)
    assert load.problems(sent) == {}
    return len(work) / (time.monotonic() - began)


def busy(seconds: float) -> float:
    """Share of the machine's processors that is in use, while nothing is asked."""

    def snapshot() -> tuple[int, int]:
        numbers = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return sum(numbers), numbers[3] + numbers[4]

    all_before, idle_before = snapshot()
    time.sleep(seconds)
    all_after, idle_after = snapshot()
    return 1 - (idle_after - idle_before) / (all_after - all_before)
