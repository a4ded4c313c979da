"""Asks a service to read a case."""

from __future__ import annotations

import contextlib
import json
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator

from bench.service import Service, free_port
from bench.text.case import Case, Line

SECONDS = 300


@contextlib.contextmanager
def service(url: str | None = None) -> Iterator[str]:
    """The URL of a service: `url`, or that of one which is started and stopped again."""
    if url is not None:
        yield url
        return
    port = free_port()
    flags = ["--host", "127.0.0.1", "--http_port", str(port), "--grpc_port", str(free_port())]
    started = Service([sys.executable, "-m", "ppocr", "serve", *flags], port=port)
    try:
        started.start()
        yield f"http://127.0.0.1:{port}"
    finally:
        started.stop()


def read(url: str, case: Case, **parameters: str) -> list[Line]:
    """The lines that the service at `url` reads in the case's image, by V1."""
    query = urllib.parse.urlencode({**case.parameters, **parameters})
    request = urllib.request.Request(
        f"{url}/v1/models/ppocr:predict?{query}", case.image, {"Content-Type": "application/octet-stream"}
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        (page,) = json.load(answer)["predictions"]
    lines: list[Line] = page["lines"]
    return lines
