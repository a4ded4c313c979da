"""A gateway that listens with TLS alone, under a certificate of an authority that nobody else knows."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.certificates import Authority
from tests.cluster import images
from tests.cluster.kube import Json, Namespace, nightly, until
from tests.cluster.release import Release

pytestmark = nightly
ROOT = Path(__file__).parents[2]
NAME = "tls"


@dataclass(frozen=True)
class Tls:
    """A gateway of the tests' namespace: its address, and the authority of its certificate."""

    address: str
    authority: Path


def _secret(namespace: Namespace, **files: Path) -> None:
    data = {name.replace("_", "."): base64.b64encode(path.read_bytes()).decode() for name, path in files.items()}
    secret: Json = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": NAME}}
    namespace.apply({**secret, "data": data})


@pytest.fixture(scope="module")
def tls(namespace: Namespace, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority.made(folder, "authority")
    certificate, key = folder / "tls.crt", folder / "tls.key"
    authority.sign(certificate, key, "gateway", release.host, release.grpc_host)
    _secret(namespace, tls_crt=certificate, tls_key=key, ca_crt=authority.pem)
    listener: Json = {"name": "https", "port": 443, "protocol": "HTTPS"}
    listener["tls"] = {"mode": "Terminate", "certificateRefs": [{"name": NAME}]}
    gateway: Json = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": NAME}}
    namespace.apply({**gateway, "spec": {"gatewayClassName": "envoy", "listeners": [listener]}})

    def address() -> str:
        status = namespace.get("gateway", NAME).get("status", {})
        programmed = [each["status"] for each in status.get("conditions", ()) if each["type"] == "Programmed"]
        return str(status["addresses"][0]["value"]) if programmed == ["True"] and status.get("addresses") else ""

    found = until(90, address, "the gateway")
    # Programs that don't choose a name ask for the address.
    authority.sign(certificate, key, "gateway", release.host, release.grpc_host, found)
    _secret(namespace, tls_crt=certificate, tls_key=key, ca_crt=authority.pem)
    release.upgrade(gateway={"parentRefs": [{"name": NAME}]}, verify={"caSecret": NAME, "timeoutSeconds": 60})
    yield Tls(found, authority.pem)
    release.upgrade()
    namespace.kubectl("delete", "gateway", NAME, "--wait=false")


def test_helm_test_reads_through_it(tls: Tls, release: Release, say: Callable[[str], None]) -> None:
    report = release.namespace.helm("test", release.name, both=True)
    said = next(line for line in report.splitlines() if "by gRPC" in line)
    say(said)
    assert f"at {tls.address}:443, with TLS, by gRPC" in said


def test_what_notes_say_reads_an_image(tls: Tls, release: Release) -> None:
    notes = release.namespace.helm("get", "notes", release.name)
    command = next(line.strip() for line in notes.splitlines() if "--cacert" in line)
    image = ROOT / "tests" / "data" / "075.jpg"
    for said, meant in {"CA.crt": tls.authority, "$GATEWAY": tls.address, "IMAGE.jpg": image}.items():
        command = command.replace(said, str(meant))
    done = subprocess.run(["sh", "-ec", command], capture_output=True, text=True, check=True)
    assert images.RECEIPT_TEXT in done.stdout


def test_without_the_authority_it_is_refused_and_said(tls: Tls, release: Release) -> None:
    parts = {"gateway": {"parentRefs": [{"name": NAME}]}, "verify": {"timeoutSeconds": 4}}
    release.upgrade(**parts)
    report = release.namespace.helm("test", release.name, check=False, both=True)
    assert "CERTIFICATE_VERIFY_FAILED" in report
    release.upgrade(**{**parts, "verify": {"caSecret": NAME}})


def test_a_search_for_capacity_and_a_load_go_through_it(
    tls: Tls, release: Release, tmp_path: Path, say: Callable[[str], None]
) -> None:
    own = {**os.environ, "SSL_CERT_FILE": str(tls.authority), "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(tls.authority)}
    url, few = f"https://{tls.address}", ("--step_seconds=3", "--min_requests=3", "--start=0.5", "--highest=0.5")
    # Until the gateway has the certificate with its address.
    with httpx.Client(verify=ssl.create_default_context(cafile=tls.authority), trust_env=False) as client:
        until(60, lambda: _answers(client, f"{url}/v2/health/ready", release.host), "the certificate")
    command = [sys.executable, "-m", "ppocr", "capacity", url, "--header", f"Host: {release.host}", "--p95=20", *few]
    command += ["--images", str(ROOT / "tests" / "data")]
    done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=120, check=False)
    say(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless", "--only-summary"]
    to = ["--host", url, "--host-header", release.host, "--grpc-target", f"{url}:443", "--authority", release.grpc_host]
    size = ["-u", "5", "-r", "5", "-t", "15s", "--report", str(report)]
    done = subprocess.run(
        [*command, *to, *size], cwd=ROOT, env=own, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    read = {row["protocol"]: row["read"] for row in json.loads(report.read_text())["rows"]}
    say(f"images that Locust had read through TLS: {read}")
    assert len(read) == 5 and all(read.values())


def _answers(client: httpx.Client, url: str, host: str) -> bool:
    try:
        return client.get(url, headers={"host": host}).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
