"""Transformer and predictor as two processes: the same answers as all in one, and honest about a predictor that is away."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from ppocr import oip
from ppocr.contract import FACTS_PARAMETER, RECOGNITION
from ppocr.facts_json import facts_from_json
from tests import services
from tests.services import Service

URL = "/v1/models/ppocr:predict"
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Service]]:
    """A transformer, and the predictor behind it."""
    folder = tmp_path_factory.mktemp("pair")
    with (
        services.predictor(folder / "predictor.log") as predictor,
        services.transformer(folder / "transformer.log", predictor.grpc) as transformer,
    ):
        yield transformer, predictor


def read(service: Service, image: bytes) -> httpx.Response:
    return httpx.post(service.url + URL, content=image, headers=JPEG, timeout=60)


def test_two_processes_read_what_one_reads(pair: tuple[Service, Service], service: Service, receipt: bytes) -> None:
    one, two = read(service, receipt), read(pair[0], receipt)
    assert two.status_code == 200, two.text
    assert two.json() == one.json()


#: What clusters put into all pods: a proxy for the way out (nobody listens there), a locale, a time zone, threads, roots of TLS.
AMBIENT = {
    **dict.fromkeys(("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,.svc,.cluster.local,10.0.0.0/8"),
    **{"LANG": "C", "LC_ALL": "C", "TZ": "Asia/Kolkata", "OMP_NUM_THREADS": "1", "OMP_PROC_BIND": "true"},
    **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), "/nonexistent/ca.pem"),
}


def test_what_a_cluster_puts_into_pods_changes_nothing(tmp_path: Path, service: Service, receipt: bytes) -> None:
    with (
        services.predictor(tmp_path / "predictor.log", **AMBIENT) as predictor,
        services.transformer(tmp_path / "transformer.log", predictor.grpc, **AMBIENT) as transformer,
        httpx.Client(trust_env=False, timeout=60) as client,
    ):
        answer = client.post(transformer.url + URL, content=receipt, headers=JPEG)
    assert answer.status_code == 200, answer.text
    assert answer.json() == read(service, receipt).json()


def test_the_transformer_knows_the_model_only_from_the_predictor(pair: tuple[Service, Service]) -> None:
    with grpc.insecure_channel(pair[1].grpc) as channel:
        answer = oip.unary(channel, "ModelMetadata")(oip.ModelMetadataRequest(name="rec"), timeout=10)
    facts = facts_from_json(answer.parameters[FACTS_PARAMETER].string_param)
    assert facts.name == "ppocrv6-small"
    recognition = facts.of_task(RECOGNITION)
    assert recognition is not None and len(recognition.labels) == 18_710


def test_the_predictor_speaks_v2_rest_too(pair: tuple[Service, Service]) -> None:
    line = [255] * (48 * 32 * 3)
    request = {"inputs": [{"name": "lines", "datatype": "UINT8", "shape": [1, 48, 32, 3], "data": line}]}
    answer = httpx.post(f"{pair[1].url}/v2/models/rec/infer", json=request, timeout=60).raise_for_status().json()
    assert [output["name"] for output in answer["outputs"]] == ["ids", "probabilities"]
    assert answer["outputs"][0]["shape"] == [1, 4]
    assert answer["model_version"] == "1"


@pytest.mark.parametrize(
    ("model", "tensor", "says"),
    [
        ("det", {"name": "image", "datatype": "UINT8", "shape": [1, 33, 32, 3], "data": [0] * 3168}, "in steps of 32"),
        ("det", {"name": "image", "datatype": "INT32", "shape": [1], "data": [0]}, "must be UINT8"),
        (
            "rec",
            {"name": "lines", "datatype": "UINT8", "shape": [1, 40, 32, 3], "data": [0] * 3840},
            "heights of 48",
        ),
        ("rec", {"name": "pixels", "datatype": "UINT8", "shape": [3], "data": [0] * 3}, "'widths' is missing"),
    ],
)
def test_the_predictor_refuses_wrong_tensors(
    pair: tuple[Service, Service], model: str, tensor: dict[str, object], says: str
) -> None:
    answer = httpx.post(f"{pair[1].url}/v2/models/{model}/infer", json={"inputs": [tensor]}, timeout=60)
    assert answer.status_code == 400, answer.text
    assert says in answer.json()["error"]


def test_a_predictor_that_is_away_is_a_503_and_back_again_without_a_hand(tmp_path: Path, receipt: bytes) -> None:
    with (
        services.predictor(tmp_path / "predictor.log") as predictor,
        services.transformer(tmp_path / "transformer.log", predictor.grpc) as transformer,
    ):
        assert read(transformer, receipt).status_code == 200
        predictor.process.send_signal(signal.SIGKILL)
        predictor.process.wait()
        refused = read(transformer, receipt)
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert "predictor" in refused.json()["error"]
        assert not transformer.is_ready()
        again = ["predictor", "--host", "127.0.0.1"]
        with services.running(again, tmp_path / "again.log", ports=(predictor.http_port, predictor.grpc_port)):
            transformer.wait_ready()
            assert read(transformer, receipt).status_code == 200


def test_a_transformer_without_a_predictor_starts_and_is_not_ready(tmp_path: Path, receipt: bytes) -> None:
    nobody = f"127.0.0.1:{services.free_port()}"
    command = ["transformer", "--host", "127.0.0.1", "--predictor_host", nobody]
    with services.running(command, tmp_path / "log", wait=False) as transformer:
        transformer.wait_live()
        assert not transformer.is_ready()
        assert read(transformer, receipt).status_code == 503


async def test_a_predictor_that_stops_under_load_loses_nothing(tmp_path: Path, receipt: bytes) -> None:
    """Two predictors, requests in turn to both; one gets SIGTERM in the middle."""
    lame = ("--lame_duck_seconds", "0.5")
    with (
        services.predictor(tmp_path / "one.log", *lame) as one,
        services.predictor(tmp_path / "two.log", *lame) as two,
        services.transformer(tmp_path / "log", f"ipv4:{one.grpc},{two.grpc}") as transformer,
    ):
        async with httpx.AsyncClient(base_url=transformer.url, timeout=60) as client:
            codes: list[int] = []
            under_way = asyncio.Event()

            async def ask(count: int) -> None:
                for _ in range(count):
                    codes.append((await client.post(URL, content=receipt, headers=JPEG)).status_code)
                    under_way.set()

            clients = [asyncio.create_task(ask(4)) for _ in range(4)]
            await under_way.wait()
            one.process.send_signal(signal.SIGTERM)
            await asyncio.gather(*clients)
        assert codes == [200] * 16
        assert one.process.wait(40) == 0
        log = two.log.read_text()
        assert log.count("grpc:ModelInfer OK") > 16, "the other predictor did the rest"
