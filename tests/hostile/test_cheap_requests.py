"""Requests for the description of the service cost about as little as a probe."""

from __future__ import annotations

import http.client
import os
from pathlib import Path

import pytest

from tests.services import Service

pytestmark = pytest.mark.alone
TIMES = 60


@pytest.mark.parametrize("path", ["/openapi.json", "/v1/capabilities"])
def test_descriptions_of_the_service(service: Service, path: str) -> None:
    probe = seconds(service, "/healthz")
    assert seconds(service, path) < 3 * probe + 0.1  # an answer that is not kept costs six times as much as a probe


def seconds(service: Service, path: str) -> float:
    """Processor time of the service for TIMES answers, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", service.http_port)
    answered(connection, path)
    before = of_processor(service)
    for _ in range(TIMES):
        answered(connection, path)
    connection.close()
    return of_processor(service) - before


def answered(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read()


def of_processor(service: Service) -> float:
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
