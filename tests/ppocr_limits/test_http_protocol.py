"""Clients that offer HTTP/2 are answered in HTTP/1.1, with the body that they sent."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests import needs
from tests.services import Service

IMAGE = Path(__file__).parents[1] / "data" / "075.jpg"


@pytest.mark.parametrize("offer", ["Upgrade: h2c", "upgrade:h2c", "UPGRADE: TLS/1.0"])
def test_a_body_behind_an_offer_is_read(service: Service, receipt: bytes, offer: str) -> None:
    head = (
        f"POST /v1/models/ppocr:predict HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\n{offer}\r\n"
        f"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\nContent-Type: image/jpeg\r\nContent-Length: {len(receipt)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.http_port), timeout=60) as connection:
        # Head and body in pieces of their own, as Java sends them: the offer may only be looked for in the head.
        connection.sendall(head.encode())
        connection.sendall(receipt)
        answer = connection.makefile("rb").read()
    status, _, rest = answer.partition(b"\r\n")
    assert status == b"HTTP/1.1 200 OK"
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["predictions"][0]["lines"]


def test_curl_may_ask_for_http2(service: Service) -> None:
    url = f"{service.url}/v1/models/ppocr:predict"
    command = [
        needs.program("curl"),
        "-sf",
        "--http2",
        "-H",
        "Content-Type: image/jpeg",
        "--data-binary",
        f"@{IMAGE}",
        url,
    ]
    assert json.loads(subprocess.check_output(command))["predictions"][0]["lines"]
