"""Who may call, and how much: Envoy Gateway's policies of the chart, and the service's own keys from a Secret. Nightly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import httpx
import pytest

from ppocr import oip
from tests.cluster import images
from tests.cluster.kube import Json, until
from tests.cluster.load import Gateway
from tests.cluster.release import TAG, Release

pytestmark = pytest.mark.skipif(not os.environ.get("PPOCR_NIGHTLY"), reason="takes minutes: nightly")
Say = Callable[[str], None]
MIB = 1 << 20
KEY, SIGNED_BY = secrets.token_hex(16), secrets.token_bytes(32)
ISSUER, AUDIENCE = "https://issuer.example.com", "ocr"
#: Serves what the variable KEYS holds.
SERVE_KEYS = """
import http.server, os
class Keys(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["KEYS"].encode())
http.server.HTTPServer(("", 8000), Keys).serve_forever()
"""


def status(gateway: Gateway, path: str = "/v1/models/ppocr:predict", content: bytes = b"", **headers: str) -> int:
    """Of a line that is read, or of another path; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = {"host": gateway.host, "content-type": "image/png", **named}
    method = "POST" if path.startswith("/v1/models/") else "GET"
    content = content or (images.line() if method == "POST" else b"")
    return httpx.request(
        method, gateway.url + path, headers=asked, content=content, timeout=60, trust_env=False
    ).status_code


def code(release: Release, gateway: Gateway, *metadata: tuple[str, str]) -> grpc.StatusCode:
    """How a call ends that reads a line."""
    request = oip.ModelInferRequest(model_name="ppocr", raw_input_contents=[oip.pack_bytes([images.line()])])
    request.inputs.add(name="image", datatype="BYTES", shape=[1])
    options = [("grpc.default_authority", release.grpc_host)]
    with grpc.insecure_channel(gateway.url.removeprefix("http://") + ":80", options) as channel:
        try:
            oip.unary(channel, "ModelInfer")(request, timeout=30, metadata=metadata)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def secret(release: Release, name: str, **entries: str) -> None:
    release.namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": entries})


def with_envoy(release: Release, **values: Any) -> None:
    """Changes Envoy Gateway's policies alone: no pod is replaced."""
    release.upgrade(gateway={"envoy": values}, wait=False)


@pytest.fixture(autouse=True)
def open_again(release: Release, gateway: Gateway) -> Iterator[None]:
    """Afterwards everybody may call."""
    yield
    release.upgrade()
    until(30, lambda: status(gateway) == 200, "an end of the policy")


def test_envoy_asks_for_a_key(release: Release, gateway: Gateway) -> None:
    secret(release, "gateway-keys", alice=KEY)
    with_envoy(release, apiKeySecret="gateway-keys")
    until(30, lambda: status(gateway) == 401, "the policy")
    assert status(gateway, x_api_key="wrong") == 401
    assert status(gateway, x_api_key=KEY) == 200
    # A key opens what the routes publish, and nothing more.
    assert [status(gateway, path, x_api_key=KEY) for path in ("/metrics", "/openapi.json", "/")] == [404] * 3
    until(30, lambda: code(release, gateway) is grpc.StatusCode.UNAUTHENTICATED, "the policy for gRPC")
    assert code(release, gateway, ("x-api-key", KEY)) is grpc.StatusCode.OK


def token(signed_by: bytes = SIGNED_BY, **claims: object) -> str:
    """A JWT that is good for a minute, or what `claims` make of it."""
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": int(time.time()) + 60, **claims}
    parts = [_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "1", "typ": "JWT"}, said)]
    return ".".join([*parts, _base64(hmac.digest(signed_by, ".".join(parts).encode(), "sha256"))])


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def issuer(release: Release) -> str:
    """A pod that serves the key of tokens, and its address."""
    keys = {"keys": [{"kty": "oct", "alg": "HS256", "kid": "1", "k": _base64(SIGNED_BY)}]}
    container = {
        "name": "issuer",
        "image": f"ppocr-transformer:{TAG}",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", SERVE_KEYS],
        "env": [{"name": "KEYS", "value": json.dumps(keys)}],
        "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
    }
    labels = {"app": "issuer"}
    pod: Json = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "issuer", "labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }
    service: Json = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "issuer"},
        "spec": {"selector": labels, "ports": [{"port": 8000}]},
    }
    release.namespace.apply(pod, service)
    release.namespace.kubectl("wait", "--for=condition=Ready", "pod/issuer", "--timeout=60s")
    return f"http://issuer.{release.namespace.name}.svc.cluster.local:8000/keys"


def test_envoy_asks_for_a_token(release: Release, gateway: Gateway) -> None:
    jwt = {"issuer": ISSUER, "jwksUri": issuer(release), "audiences": [AUDIENCE]}
    with_envoy(release, jwt=jwt)
    until(30, lambda: status(gateway) == 401, "the policy")
    until(30, lambda: status(gateway, authorization=f"Bearer {token()}") == 200, "the issuer's keys")
    wrong = {
        "signed by another": token(b"x" * 32),
        "of another issuer": token(iss="https://elsewhere.example.com"),
        "expired": token(exp=int(time.time()) - 600),
        "not signed": token().rpartition(".")[0] + ".",
        "no token": "abc",
    }
    assert {name: status(gateway, authorization=f"Bearer {each}") for name, each in wrong.items()} == dict.fromkeys(
        wrong, 401
    )
    assert status(gateway, authorization=f"Bearer {token(aud='else')}") == 403
    assert code(release, gateway) is grpc.StatusCode.UNAUTHENTICATED
    assert code(release, gateway, ("authorization", f"Bearer {token()}")) is grpc.StatusCode.OK
    release.namespace.kubectl("delete", "pod/issuer", "service/issuer")


def test_envoy_bounds_requests_a_second(release: Release, gateway: Gateway, say: Say) -> None:
    with_envoy(release, requestsPerSecond=5)

    def burst() -> Counter[int]:
        with ThreadPoolExecutor(8) as pool:
            return Counter(pool.map(lambda _: status(gateway, "/v2/health/ready"), range(40)))

    statuses = until(30, lambda: (found := burst())[429] and found, "the policy")
    say(f"40 requests at once where 5 a second may pass: {dict(statuses)}")
    assert set(statuses) == {200, 429} and statuses[200] >= 5
    time.sleep(1.1)
    assert status(gateway) == 200


def test_bodies_and_heads_have_a_limit(release: Release, gateway: Gateway) -> None:
    # Without any policy: the service's own, as soon as the length is known, and Envoy's own of heads.
    assert declared(gateway, 101 * MIB) == 413
    assert status(gateway, x_long="a" * 70_000) == 431
    with_envoy(release, maxBody="1Mi")
    until(30, lambda: status(gateway, content=bytes(MIB + 1)) == 413, "the policy")
    assert status(gateway) == 200
    assert code(release, gateway) is grpc.StatusCode.OK


def declared(gateway: Gateway, length: int) -> int:
    """The status of a body that is announced, and of which nothing is sent."""
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=30)
    try:
        connection.putrequest("POST", "/v1/models/ppocr:predict", skip_host=True)
        for name, value in {"host": gateway.host, "content-type": "image/png", "content-length": str(length)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def test_envoy_bounds_how_long_a_request_takes_to_arrive(release: Release, gateway: Gateway) -> None:
    with_envoy(release, clientTrafficPolicy={"enabled": True, "requestReceivedTimeout": "1s"})
    until(30, lambda: declared(gateway, 100) == 408, "the policy")
    assert status(gateway) == 200


def test_the_service_asks_for_its_own_keys(release: Release, gateway: Gateway, say: Say) -> None:
    def line(name: str, key: str) -> str:
        return f"{name}:{hashlib.sha256(key.encode()).hexdigest()}\n"

    secret(release, "keys", keys=line("alice", KEY), test=KEY)
    release.upgrade(access={"apiKeysSecret": "keys"})
    alice = f"Bearer {KEY}"
    assert status(gateway) == 401
    assert status(gateway, authorization="Bearer wrong") == 401
    assert status(gateway, authorization=alice) == 200
    assert status(gateway, "/v2/health/ready") == 200, "who probes has no key"
    assert code(release, gateway) is grpc.StatusCode.UNAUTHENTICATED
    assert code(release, gateway, ("authorization", alice)) is grpc.StatusCode.OK
    report = release.namespace.helm("test", release.name)
    assert report.count("Succeeded") >= 4 and "Failed" not in report
    (pod,) = release.pods("transformer")
    assert 'ppocr_client_requests_total{client="alice"' in release.namespace.proxy(pod, "/metrics")
    began = time.monotonic()
    secret(release, "keys", keys=line("bob", "another"))
    # A kubelet brings a changed Secret into a running pod within a minute or two.
    until(180, lambda: status(gateway, authorization="Bearer another") == 200, "the new key")
    say(f"a new key counts {time.monotonic() - began:.0f} s after the Secret was changed")
    assert status(gateway, authorization=alice) == 401
