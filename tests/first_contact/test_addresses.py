"""IPv6: the service on ::1 alone, on all addresses of both kinds, and brackets wherever an address has a port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2

from ppocr.listen import joined, listening
from ppocr_api.errors import ConfigError
from ppocr_client import Client, GrpcClient
from tests import services
from tests.first_contact.conftest import IMAGE
from tests.services import Service
from transformer.predictor_channel import target

pytestmark = pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")


def wait_ready(service: Service, host: str) -> None:
    """`Service.wait_ready` asks 127.0.0.1."""
    url = f"http://{joined(host, service.http_port)}/v2/health/ready"
    with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as http:
        for _ in range(600):
            try:
                if http.get(url).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert service.process.poll() is None, service.log.read_text()[-2000:]
    raise AssertionError("not ready")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Transformer and predictor, each on ::1 alone, where no address of IPv4 answers."""
    folder = tmp_path_factory.mktemp("ipv6")
    with services.running(["predictor", "--host", "::1"], folder / "predictor", wait=False) as predictor:
        wait_ready(predictor, "::1")
        command = [
            "transformer",
            "--host",
            "::1",
            "--predictor_host",
            "::1",
            "--predictor_port",
            str(predictor.grpc_port),
        ]
        with services.running(command, folder / "transformer", wait=False) as transformer:
            wait_ready(transformer, "::1")
            yield transformer


def test_everything_works_on_ipv6_alone(both: Service) -> None:
    with Client(f"http://[::1]:{both.http_port}") as client:
        page = client.read(IMAGE)
    with GrpcClient(f"[::1]:{both.grpc_port}") as client:
        assert client.read(IMAGE) == page or client.read(IMAGE).text == page.text
    command = [sys.executable, "-m", "ppocr", "read", "--url", f"http://[::1]:{both.http_port}", str(IMAGE)]
    assert subprocess.check_output(command, text=True).splitlines() == page.text.splitlines()
    curl = ["curl", "-sg", "--data-binary", f"@{IMAGE}", f"http://[::1]:{both.http_port}/v1/models/ppocr:predict"]
    assert page.lines[0].text in subprocess.check_output(curl, text=True)
    with grpc.insecure_channel(f"[::1]:{both.grpc_port}") as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            health_pb2.HealthCheckRequest.SerializeToString,
            health_pb2.HealthCheckResponse.FromString,
        )
        assert check(health_pb2.HealthCheckRequest(), timeout=10).status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", both.http_port), timeout=5)


def test_all_addresses_of_both_kinds(tmp_path: Path) -> None:
    with services.running(["ppocr", "serve", "--host", "::"], tmp_path / "log") as service:
        for host in ("127.0.0.1", "[::1]"):
            assert httpx.get(f"http://{host}:{service.http_port}/v2/health/ready").status_code == 200
            with GrpcClient(f"{host}:{service.grpc_port}") as client:
                assert client.ready()


def test_a_port_that_is_taken_is_named_with_brackets(both: Service, tmp_path: Path) -> None:
    flags = ["--host", "::1", "--predictor_host", "x", "--http_port", str(both.http_port), "--grpc_port", "1"]
    run = subprocess.run(
        [sys.executable, "-m", "transformer", *flags], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert f"can't listen on [::1]:{both.http_port}" in run.stderr


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("predictor", "dns:///predictor:8081"),
        ("predictor:9000", "dns:///predictor:9000"),
        ("10.0.0.1", "dns:///10.0.0.1:8081"),
        ("::1", "dns:///[::1]:8081"),
        ("fd00::1:2", "dns:///[fd00::1:2]:8081"),
        ("[fd00::1]", "dns:///[fd00::1]:8081"),
        ("[fd00::1]:9000", "dns:///[fd00::1]:9000"),
        ("dns:///predictor:80", "dns:///predictor:80"),
        ("unix:/run/x", "unix:/run/x"),
    ],
)
def test_the_predictors_address(host: str, expected: str) -> None:
    assert target(host, 8081) == expected


@pytest.mark.parametrize("host", ["http://predictor:8081", "grpc://predictor", "HTTPS://x"])
def test_a_url_is_no_address(host: str) -> None:
    with pytest.raises(ConfigError):
        target(host, 8081)


def test_a_machine_without_ipv6_listens_on_all_of_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listening("::1") == "::1"
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    assert listening("::") == "0.0.0.0"
    assert joined(listening("::"), 80) == "0.0.0.0:80"
