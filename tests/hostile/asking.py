"""Sends hostile requests to a service, and checks its liveness at the same time."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.services import Service

V1, V2 = "/v1/models/ppocr:predict", "/v2/models/ppocr/infer"
JSON = {"content-type": "application/json"}
IMAGE = {"content-type": "image/png"}


def post(service: Service, path: str, body: bytes, headers: Mapping[str, str] = JSON) -> tuple[int, bytes]:
    """Status and body of the answer."""
    return send(f"127.0.0.1:{service.http_port}", path, body, headers)


def send(address: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """The same of what listens at HOST:PORT. Who is answered before all of the body is sent reads the answer, as curl does."""
    connection = http.client.HTTPConnection(address, timeout=120)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def at_once(service: Service, path: str, bodies: Sequence[bytes], headers: Mapping[str, str] = IMAGE) -> list[int]:
    """The statuses of requests that are all sent at the same time."""
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda body: post(service, path, body, headers)[0], bodies))


class Probe:
    """Asks /healthz all the time, as a kubelet does: `worst` is the longest that it waited, in seconds."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.worst = 0.0

    def __enter__(self) -> Probe:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.03):
            began = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self._service.http_port, timeout=120)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            connection.close()
            self.worst = max(self.worst, time.monotonic() - began)
