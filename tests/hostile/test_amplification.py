"""Requests that cost their sender little: no request takes the memory of a hundred, or keeps the others waiting."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import orjson
import pytest

from ppocr import oip
from tests import services
from tests.hostile.asking import JSON, V1, V2, Probe, post
from tests.services import Service
from transformer.routes import FORMATS
from transformer.routes import pdserving_messages_pb2 as messages
from transformer.routes.pdserving import SERVICE as PIPELINE

pytestmark = pytest.mark.alone

MIB = 1 << 20
#: One path of each format that takes JSON.
JSON_PATHS = sorted(
    {
        each.declaration.paths[0].path.replace("{model_name}", "ppocr").replace("{module}", "ocr_system")
        for each in FORMATS
        if "application/json" in each.declaration.content_types
    }
)
#: What a request may add to the service's memory: its own 30 MB a few times over.
MAX_GROWTH = 200 * MIB
#: How long /healthz may take meanwhile, in seconds, on a machine that does other things too.
MAX_WAIT = 1.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of its own, whose memory others don't use."""
    with services.all_in_one(tmp_path_factory.mktemp("amplification") / "log") as running:
        running.wait_prepared()
        yield running


def _tensor(datatype: str, shape: list[int], data: bytes, name: str = "image") -> bytes:
    head = orjson.dumps({"name": name, "shape": shape, "datatype": datatype})[:-1]
    return b'{"inputs":[' + head + b',"data":[' + data + b"]}]}"


def _binary(count: int) -> tuple[bytes, dict[str, str]]:
    tail = bytes(4 * count)
    tensor = {"name": "image", "shape": [count], "datatype": "BYTES", "parameters": {"binary_data_size": len(tail)}}
    head = orjson.dumps({"inputs": [tensor]})
    return head + tail, {"content-type": "application/octet-stream", "inference-header-content-length": str(len(head))}


CASES: dict[str, Callable[[], tuple[str, bytes, dict[str, str]]]] = {
    "one long text among numbers": lambda: (
        V2,
        _tensor("FP32", [100_000], b'"' + b"a" * 500_000 + b'"' + b',""' * 99_999),
        JSON,
    ),
    "empty instances": lambda: (V1, b'{"instances":[' + b"{}," * 10_000_000 + b"{}]}", JSON),
    "empty inputs": lambda: (V2, b'{"inputs":[' + b"{}," * 10_000_000 + b"{}]}", JSON),
    "empty texts": lambda: (V2, _tensor("BYTES", [10_000_000], b'"",' * 9_999_999 + b'""'), JSON),
    "numbers": lambda: (V2, _tensor("FP32", [15_000_000], b"1," * 14_999_999 + b"1"), JSON),
    "lists in lists": lambda: (V2, _tensor("BYTES", [1], b"[" * 900 + b"]" * 900), JSON),
    "empty binary elements": lambda: (V2, *_binary(7_500_000)),
    "keys": lambda: (V1, orjson.dumps({"instances": [], "parameters": {str(i): 1 for i in range(400_000)}}), JSON),
    "a name of 20 MB": lambda: (V2, _tensor("BYTES", [1], b'"a"', "n" * 20_000_000), JSON),
    "a datatype of 20 MB": lambda: (V2, _tensor("D" * 20_000_000, [1], b'"a"'), JSON),
    "base64 with line ends": lambda: (V1, b'{"instances":[{"b64":"' + b"AAAAAAAA\\n" * 3_000_000 + b'"}]}', JSON),
}


@pytest.mark.parametrize("name", CASES)
def test_a_request_over_http(service: Service, name: str) -> None:
    path, body, headers = CASES[name]()
    service.reset_peak()
    before = service.rss_bytes()
    with Probe(service) as probe:
        status, answer = post(service, path, body, headers)
    assert status == 400, answer[:300]
    assert len(answer) < 4000
    assert probe.worst < MAX_WAIT
    assert service.peak_bytes() - before < MAX_GROWTH


@pytest.mark.parametrize("path", JSON_PATHS)
def test_ten_million_values_for_any_format(service: Service, path: str) -> None:
    """In whatever form a format's refusals go out."""
    body = b'{"instances":[],"inputs":[],"images":[],"unknown":[' + b"{}," * 10_000_000 + b"{}]}"
    service.reset_peak()
    before = service.rss_bytes()
    with Probe(service) as probe:
        status, answer = post(service, path, body)
    assert status in (200, 400, 422), answer[:300]
    assert b"values" in answer and len(answer) < 4000
    assert probe.worst < MAX_WAIT
    assert service.peak_bytes() - before < MAX_GROWTH


def test_a_shape_of_many_sizes(service: Service) -> None:
    """The product of 80,000 sizes has 2.5 million bits."""
    shape = [2**31 - 1] * 80_000
    tensor = {"name": "image", "elem_type": 2, "shape": shape, "int_data": [1]}
    request = messages.Request()
    request.tensors.add(**tensor)
    with Probe(service) as probe, grpc.insecure_channel(service.grpc) as channel:
        status, answer = post(service, "/ocr/prediction", orjson.dumps({"tensors": [tensor]}))
        method = f"/{PIPELINE}/inference"
        over_grpc = channel.unary_unary(method, response_deserializer=messages.Response.FromString)(
            request.SerializeToString(), timeout=30
        )
    assert status == 200 and orjson.loads(answer)["err_no"] == over_grpc.err_no == 8000
    assert probe.worst < MAX_WAIT


def _infer(service: Service, message: bytes, **options: object) -> grpc.StatusCode:
    with grpc.insecure_channel(service.grpc, [("grpc.max_send_message_length", -1)]) as channel:
        call = channel.unary_unary(f"/{oip.SERVICE}/ModelInfer", lambda raw: raw, lambda raw: raw)
        with pytest.raises(grpc.RpcError) as refused:
            call(message, timeout=60, **options)
    assert len(refused.value.details()) < 4000  # type: ignore[attr-defined]
    return refused.value.code()  # type: ignore[attr-defined, no-any-return]


MESSAGES: dict[str, Callable[[], bytes]] = {
    "empty inputs": lambda: b"\x2a\x00" * 15_000_000,
    "empty raw contents": lambda: b"\x3a\x00" * 15_000_000,
    "numbers": lambda: oip.ModelInferRequest(
        inputs=[{"name": "image", "contents": {"int_contents": [1] * 10_000_000}}]  # type: ignore[list-item]
    ).SerializeToString(),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_over_grpc(service: Service, name: str) -> None:
    message = MESSAGES[name]()
    service.reset_peak()
    before = service.rss_bytes()
    with Probe(service) as probe:
        assert _infer(service, message) is grpc.StatusCode.INVALID_ARGUMENT
    assert probe.worst < MAX_WAIT
    assert service.peak_bytes() - before < MAX_GROWTH


def test_a_message_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked(service: Service) -> None:
    message = oip.ModelInferRequest(model_name="ppocr", raw_input_contents=[bytes(90_000_000)]).SerializeToString()
    assert len(gzip.compress(message)) < 200_000
    service.reset_peak()
    before = service.rss_bytes()
    with Probe(service) as probe:
        assert _infer(service, message, compression=grpc.Compression.Gzip) is grpc.StatusCode.UNIMPLEMENTED
    assert probe.worst < MAX_WAIT
    assert service.peak_bytes() - before < MAX_GROWTH


@pytest.mark.parametrize("length", [100, 20_000])
def test_what_is_long_is_no_reason_to_try_again(service: Service, length: int) -> None:
    message = oip.ModelInferRequest(model_name="😀" * length, raw_input_contents=[b""])
    message.inputs.add(name="image", datatype="BYTES", shape=[0])
    assert _infer(service, message.SerializeToString()) is grpc.StatusCode.NOT_FOUND


def test_the_log_stays_one_line_per_request(service: Service, tmp_path: Path) -> None:
    post(service, "/x%0d%0a2026-01-01%20ERROR%20forged%1b%5b31m", b"")
    deadline = time.monotonic() + 10  # the line is written once the answer is out
    while not (lines := [line for line in service.log.read_text().split("\n") if "forged" in line]):
        assert time.monotonic() < deadline, "the request is not in the log"
        time.sleep(0.05)
    (line,) = lines
    assert "\x1b" not in line
    assert line.count("ppocr.access") == 1


def test_no_redirect_to_the_host_that_a_request_names(service: Service) -> None:
    assert post(service, "/healthz/", b"", {"host": "elsewhere.example"})[0] == 405
