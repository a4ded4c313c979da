"""Keys and certificates on a running service: who may read, what needs neither, and what a change of the files does."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from ppocr import oip
from ppocr_client import Client, GrpcClient
from ppocr_grpc import health
from ppocr_grpc.reflection import SERVICES
from tests import services
from tests.certificates import Authority
from tests.services import Service

URL = "/v1/models/ppocr:predict"
JPEG = {"content-type": "image/jpeg"}
#: Probes and metrics.
OPEN = ("/healthz", "/v2/health/live", "/v2/health/ready", "/metrics")
CLOSED = ("/", "/v1/models", "/v1/models/ppocr", "/v2", "/v2/models/ppocr", "/openapi.json", "/nothing")


def line(name: str, key: str) -> str:
    return f"{name}:{hashlib.sha256(key.encode()).hexdigest()}\n"


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(line("alice", "one") + line("bob", "two"))
    return file


@pytest.fixture(scope="module")
def closed(keys: Path) -> Iterator[Service]:
    """A service that needs keys."""
    with services.all_in_one(keys.parent / "log", "--api_key_file", str(keys)) as service:
        yield service


def test_without_a_key_nothing_is_read_and_probes_are_answered(closed: Service, receipt: bytes) -> None:
    for path in OPEN:
        assert httpx.get(closed.url + path).status_code == 200, path
    for path in CLOSED:
        answer = httpx.get(closed.url + path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
        assert httpx.get(closed.url + path, headers=bearer("one")).status_code in (200, 404), path
    for headers in ({}, bearer("three"), {"authorization": "Basic one"}):
        answer = httpx.post(closed.url + URL, content=receipt, headers={**JPEG, **headers})
        assert answer.status_code == 401 and "key" in answer.json()["error"]


def test_a_body_without_a_key_isnt_waited_for(closed: Service) -> None:
    with socket.create_connection(("127.0.0.1", closed.http_port), timeout=10) as connection:
        connection.sendall(f"POST {URL} HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n".encode())
        assert b" 401 " in connection.recv(1000)


def test_with_a_key_it_is_read_and_the_name_is_in_log_and_metrics(closed: Service, receipt: bytes) -> None:
    with Client(closed.url, headers=bearer("one")) as client:
        assert client.read(receipt).lines
    with GrpcClient(closed.grpc, headers=bearer("two")) as over_grpc:
        assert over_grpc.read(receipt).lines
    metrics = httpx.get(f"{closed.url}/metrics").text
    assert 'ppocr_client_requests_total{client="alice",code="200"}' in metrics
    assert 'ppocr_client_requests_total{client="bob",code="OK"}' in metrics
    log = closed.log.read_text()
    assert "client=alice" in log and "client=bob" in log and "Bearer" not in log


def test_grpc_needs_a_key_too(closed: Service) -> None:
    with grpc.insecure_channel(closed.grpc) as channel:
        assert oip.unary(channel, "ServerReady")(oip.ServerReadyRequest(), timeout=10).ready
        for method, message in (
            ("ModelInfer", oip.ModelInferRequest(model_name="ppocr")),
            ("ModelMetadata", oip.ModelMetadataRequest(name="ppocr")),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                oip.unary(channel, method)(message, timeout=10)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_streams_need_a_key_too_and_health_none(closed: Service) -> None:
    with grpc.insecure_channel(closed.grpc) as channel:
        for method in (f"{oip.SERVICE}/ModelStreamInfer", f"{SERVICES[0]}/ServerReflectionInfo"):
            call = channel.stream_stream(f"/{method}", lambda raw: raw, lambda raw: raw)
            with pytest.raises(grpc.RpcError) as refused:
                next(call(iter([b""]), timeout=10))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert next(call(iter([b""]), timeout=10, metadata=tuple(bearer("two").items())))
        watching = channel.unary_stream(f"/{health.SERVICE}/Watch", lambda raw: raw, lambda raw: raw)(b"", timeout=10)
        assert next(watching)
        watching.cancel()


def test_a_key_that_is_added_counts_and_one_that_is_removed_does_not(closed: Service, keys: Path) -> None:
    def status(key: str) -> int:
        return httpx.get(f"{closed.url}/v1/models", headers=bearer(key)).status_code

    assert (status("one"), status("four")) == (200, 401)
    new = keys.with_suffix(".new")
    new.write_text(line("bob", "two") + line("carol", "four"))
    os.replace(new, keys)
    deadline = time.monotonic() + 20
    while (status("one"), status("four")) != (401, 200):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_service_doesnt_start_with_keys_that_it_cant_read(tmp_path: Path) -> None:
    with services.running(
        ["ppocr", "serve", "--api_key_file", str(tmp_path / "none")], tmp_path / "log", wait=False
    ) as service:
        assert service.process.wait(60) == 1
    assert "api_key_file can't be used: No such file" in (tmp_path / "log").read_text()


def wait_tls(service: Service, context: ssl.SSLContext) -> httpx.Client:
    """A client of a service that speaks TLS, once it is ready."""
    client = httpx.Client(base_url=f"https://localhost:{service.http_port}", verify=context, timeout=60)
    deadline = time.monotonic() + services.READY_SECONDS
    while True:
        assert time.monotonic() < deadline and service.process.poll() is None, service.log.read_text()[-2000:]
        try:
            if client.get("/v2/health/ready").status_code == 200:
                return client
        except httpx.TransportError:
            pass
        time.sleep(0.1)


def test_tls_and_a_certificate_that_is_renewed(tmp_path: Path, receipt: bytes) -> None:
    authority, certificate, key = Authority.made(tmp_path, "one"), tmp_path / "cert.pem", tmp_path / "key.pem"
    authority.sign(certificate, key, "service")
    flags = ("--tls_cert_file", str(certificate), "--tls_key_file", str(key))
    with services.running(["ppocr", "serve", "--host", "127.0.0.1", *flags], tmp_path / "log", wait=False) as service:
        context = ssl.create_default_context(cafile=str(authority.pem))
        with contextlib.closing(wait_tls(service, context)) as client:
            assert client.post(URL, content=receipt, headers=JPEG).json()["predictions"][0]["lines"]
        target = f"localhost:{service.grpc_port}"
        with GrpcClient(target, tls=True, certificate=authority.pem.read_bytes()) as over_grpc:
            assert over_grpc.read(receipt).lines
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://localhost:{service.http_port}/healthz")
        next_one = Authority.made(tmp_path, "two")
        next_one.sign(certificate, key, "service")
        renewed = ssl.create_default_context(cafile=str(next_one.pem))
        httpx.get(f"https://localhost:{service.http_port}/healthz", verify=renewed).raise_for_status()
        with GrpcClient(target, tls=True, certificate=next_one.pem.read_bytes()) as over_grpc:
            assert over_grpc.read(receipt).lines


def test_a_predictor_that_answers_only_its_transformer(tmp_path: Path, receipt: bytes) -> None:
    """Both show certificates. Without one, HTTP answers health and metrics alone, and gRPC nothing."""
    authority, stranger = Authority.made(tmp_path, "ours"), Authority.made(tmp_path, "theirs")
    files = {
        name: (tmp_path / f"{name}.pem", tmp_path / f"{name}.key") for name in ("predictor", "transformer", "other")
    }
    for name, pair in files.items():
        (stranger if name == "other" else authority).sign(*pair, name)
    served, shown = ([str(file) for file in files[name]] for name in ("predictor", "transformer"))
    flags = ("--tls_cert_file", served[0], "--tls_key_file", served[1], "--tls_client_ca_file", str(authority.pem))
    asked = (
        "--predictor_ca_file",
        str(authority.pem),
        "--predictor_cert_file",
        shown[0],
        "--predictor_key_file",
        shown[1],
    )
    context = ssl.create_default_context(cafile=str(authority.pem))
    with services.running(
        ["predictor", "--host", "127.0.0.1", *flags], tmp_path / "predictor.log", wait=False
    ) as predictor:
        with contextlib.closing(wait_tls(predictor, context)) as client:
            assert client.get("/metrics").status_code == 200
            assert client.get("/v2/models").status_code == 401
            assert client.post("/v2/models/det/infer", content=b"{}").status_code == 401
        with services.transformer(
            tmp_path / "transformer.log", f"localhost:{predictor.grpc_port}", *asked
        ) as transformer:
            answer = httpx.post(transformer.url + URL, content=receipt, headers=JPEG, timeout=60)
            assert answer.json()["predictions"][0]["lines"]
        certified = ssl.create_default_context(cafile=str(authority.pem))
        certified.load_cert_chain(*shown)
        address = f"https://localhost:{predictor.http_port}/v2/models"
        assert httpx.get(address, verify=certified).status_code == 200
        for pair in (None, files["other"]):
            key, chain = (None, None) if pair is None else (pair[1].read_bytes(), pair[0].read_bytes())
            credentials = grpc.ssl_channel_credentials(authority.pem.read_bytes(), key, chain)
            with (
                grpc.secure_channel(f"localhost:{predictor.grpc_port}", credentials) as channel,
                pytest.raises(grpc.RpcError) as refused,
            ):
                oip.unary(channel, "ServerReady")(oip.ServerReadyRequest(), timeout=10)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
