"""Starts the project's services as real processes, and stops them."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.control_group import ControlGroup, peak_bytes

READY_SECONDS = 60.0
#: Where tests run beside each other, their services neither warm up nor prepare for sizes of input in the background: that takes
#: each of them seconds of all processors. Tests that have the machine to themselves run services as they are.
BESIDE_OTHERS = (
    {"PPOCR_PREPARE_SIZES": "false", "PPOCR_WARM_UP_SECONDS": "0"} if "PYTEST_XDIST_WORKER" in os.environ else {}
)


def _ports() -> list[int]:
    """Ports below those that systems give to outgoing connections: such a connection could take one before its service listens.

    Each worker of the tests has its own part of them, and begins anywhere in it.
    """
    first, count, parts = 12_000, 20_000, 4
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % parts
    own = [first + worker * count // parts + number for number in range(count // parts)]
    begin = random.randrange(len(own))
    return own[begin:] + own[:begin]


_PORTS = itertools.cycle(_ports())


def free_port() -> int:
    """A port that nothing listens on right now, and another one each time."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Service:
    """A running process: `url` for HTTP, `grpc` for gRPC."""

    process: subprocess.Popen[bytes]
    http_port: int
    grpc_port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def grpc(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def wait_ready(self, seconds: float = READY_SECONDS) -> float:
        """Seconds until the service said that it was ready."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}:\n{self.log.read_text()[-4000:]}")
            if self.is_ready():
                return time.monotonic() - started
            time.sleep(0.02)
        raise AssertionError(f"not ready in {seconds} s:\n{self.log.read_text()[-4000:]}")

    def wait_prepared(self) -> None:
        """Until sizes of input are no longer prepared for in the background, which takes memory."""
        if BESIDE_OTHERS:
            return
        deadline = time.monotonic() + READY_SECONDS
        while "further sizes" not in self.log.read_text():
            assert time.monotonic() < deadline and self.process.poll() is None, self.log.read_text()[-4000:]
            time.sleep(0.1)

    def wait_live(self) -> None:
        """Until the process answers, ready or not."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._says("/v2/health/live"):
            assert time.monotonic() < deadline and self.process.poll() is None, self.log.read_text()[-4000:]
            time.sleep(0.02)

    def is_ready(self) -> bool:
        return self._says("/v2/health/ready")

    def _says(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self, seconds: float = 40.0) -> int:
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def peak_bytes(self) -> int:
        """The most memory that the process has held, since `reset_peak` was called last."""
        return peak_bytes(self.process.pid)

    def reset_peak(self) -> None:
        """Forgets the peak so far."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def rss_bytes(self) -> int:
        """Resident memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    *,
    wait: bool = True,
    ports: tuple[int, int] | None = None,
    cwd: Path | None = None,
    group: ControlGroup | None = None,
    **environ: str,
) -> Iterator[Service]:
    """Runs `python -m COMMAND … --http_port P --grpc_port Q` until the block ends; kills what doesn't stop. `cwd` is the
    folder whose code runs, this checkout's by default, and `group` the control group that it runs in."""
    http_port, grpc_port = ports or (free_port(), free_port())
    flags = ["--http_port", str(http_port), "--grpc_port", str(grpc_port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, *flags],
            stdout=out,
            stderr=out,
            env={**os.environ, **BESIDE_OTHERS, **environ},
            cwd=cwd,
        )
    if group is not None:
        group.add(process.pid)
    service = Service(process, http_port, grpc_port, log)
    try:
        if wait:
            service.wait_ready()
        yield service
        service.stop()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def all_in_one(log: Path, *flags: str, **environ: str) -> contextlib.AbstractContextManager[Service]:
    """`ppocr serve`."""
    return running(["ppocr", "serve", "--host", "127.0.0.1", *flags], log, **environ)


def predictor(log: Path, *flags: str, **environ: str) -> contextlib.AbstractContextManager[Service]:
    """`python -m predictor`."""
    return running(["predictor", "--host", "127.0.0.1", *flags], log, **environ)


def transformer(
    log: Path, predictor_grpc: str, *flags: str, **environ: str
) -> contextlib.AbstractContextManager[Service]:
    """`python -m transformer` in front of a predictor."""
    return running(["transformer", "--host", "127.0.0.1", "--predictor_host", predictor_grpc, *flags], log, **environ)
