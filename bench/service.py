"""The service as a contestant: `ppocr serve` in a process of its own, read over HTTP by a number of clients at once.

A client is a thread with one kept connection, which sends the next image as soon as it has its answer: there are never
more requests under way than clients. Answers are parsed after the clock has stopped.
"""

from __future__ import annotations

import http.client
import json
import queue
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contestants import Facts, Pass
from bench.processes import Program, Usage
from bench.wire import RAW, WireFormat


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """One or more processes that answer HTTP together; `ready_seconds` goes from the first start to readiness."""

    def __init__(
        self, *commands: Sequence[str | Path], port: int, environ: dict[str, str] | None = None, grpc_port: int = 0
    ):
        self._commands, self.port, self.grpc_port, self._environ = commands, port, grpc_port, environ
        self.programs: list[Program] = []
        self.ready_seconds = 0.0

    @property
    def pids(self) -> list[int]:
        return [program.process.pid for program in self.programs]

    def start(self, patience: float = 120) -> None:
        begin = time.perf_counter()
        self.programs = [Program(command, self._environ) for command in self._commands]
        while not self._is_ready():
            self.ready_seconds = time.perf_counter() - begin
            for program in self.programs:
                if program.process.poll() is not None:
                    raise RuntimeError(f"the service ended before it was ready:\n{program.tail()}")
            if self.ready_seconds > patience:
                raise RuntimeError(f"the service wasn't ready after {patience} s:\n{self.programs[0].tail()}")
            time.sleep(0.02)
        self.ready_seconds = time.perf_counter() - begin

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v2/health/ready", timeout=5) as answer:
                return bool(answer.status == http.client.OK)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        for program in self.programs:
            program.stop()
        self.programs = []


def all_in_one(python: str | Path, *options: str | Path) -> Service:
    """`ppocr serve` of the environment that `python` belongs to."""
    port, grpc_port = free_port(), free_port()
    command = [python, "-m", "ppocr", "serve", "--http_port", str(port), "--grpc_port", str(grpc_port), *options]
    return Service(command, port=port, grpc_port=grpc_port)


def two_processes(python: str | Path, *options: str | Path) -> Service:
    """Transformer and predictor apart, with gRPC between them, as in two pods; `options` are the predictor's."""
    port, between = free_port(), free_port()
    predictor = [python, "-m", "predictor", "--grpc_port", str(between), "--http_port", str(free_port()), *options]
    transformer = [python, "-m", "transformer", "--predictor_host", f"127.0.0.1:{between}"]
    transformer += ["--http_port", str(port), "--grpc_port", str(free_port())]
    return Service(predictor, transformer, port=port)


@dataclass(frozen=True)
class Request:
    name: str
    path: str
    body: bytes
    content_type: str


def request(image: Path, wire: WireFormat) -> Request:
    return Request(image.stem, wire.path, wire.body(image.read_bytes()), wire.content_type(image))


@dataclass(frozen=True)
class Answer:
    name: str
    seconds: float
    status: int
    body: bytes

    def lines(self, wire: WireFormat) -> list[str]:
        if self.status != http.client.OK:
            raise RuntimeError(f"{self.name} was answered {self.status}: {self.body[:300]!r}")
        return wire.texts(json.loads(self.body))


def drive(port: int, requests: Sequence[Request], clients: int) -> tuple[list[Answer], float]:
    """Sends all requests from `clients` connections; answers in the order they came, and wall seconds."""
    waiting: queue.SimpleQueue[Request] = queue.SimpleQueue()
    for item in requests:
        waiting.put(item)
    answers: list[Answer] = []
    failures: list[BaseException] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        try:
            while True:
                item = waiting.get_nowait()
                begin = time.perf_counter()
                connection.request("POST", item.path, item.body, {"Content-Type": item.content_type})
                response = connection.getresponse()
                body = response.read()
                answers.append(Answer(item.name, time.perf_counter() - begin, response.status, body))
        except queue.Empty:
            pass
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begin
    if failures:
        raise failures[0]
    return answers, wall


class Served:
    """A `Service` read by a number of clients. Several rows may share one service: the first to read starts it."""

    ours = True

    def __init__(self, name: str, models: str, service: Service, clients: int, wire: WireFormat = RAW):
        self.name, self.models, self.facts = name, models, Facts()
        self._service, self._clients, self._wire = service, clients, wire

    def start(self, images: Sequence[Path]) -> None:
        if not self._service.programs:
            self._service.start()
        self.facts.reported = {
            "ready_seconds": self._service.ready_seconds,
            "clients": self._clients,
            "body": self._wire.name,
        }

    def read(self, images: Sequence[Path]) -> Pass:
        requests = [request(image, self._wire) for image in images]
        with Usage(*self._service.pids) as usage:
            answers, wall = drive(self._service.port, requests, self._clients)
        texts = {answer.name: answer.lines(self._wire) for answer in answers}
        return Pass(texts, [answer.seconds for answer in answers], wall, usage.peak_bytes, usage.cpu)

    def stop(self) -> None:
        self._service.stop()
