"""Every route refuses what it can't read: a 4xx (INVALID_ARGUMENT) with a sentence, nothing of the inside, and then it reads."""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import string
import time
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest

from ppocr import oip
from tests.services import Service
from tests.transformer.images import nasty
from tests.transformer.routes.exchanges import FULL
from tests.wrong_types import wrong_types
from transformer.routes import FORMATS

V1 = "/v1/models/ppocr:predict"
V2 = "/v2/models/ppocr/infer"
JSON = {"content-type": "application/json"}
B64 = base64.b64encode(b"not an image").decode()
#: What the formats say themselves of where they are served.
DECLARED = sorted({path.path for each in FORMATS for path in each.declaration.paths})
INSIDE = re.compile(r"Traceback|File \"|site-packages|\.py\b|/work|/home|/root|0x[0-9a-f]{6,}|Error:|Exception")


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=60) as client:
        yield client


@pytest.fixture(autouse=True)
def still_reads(client: httpx.Client, receipt: bytes) -> Iterator[None]:
    """After whatever a test did, the service answers."""
    yield
    small = client.post(V1, content=receipt, headers={"content-type": "image/jpeg"})
    assert small.status_code == 200
    assert small.json()["predictions"][0]["lines"]


def refused(answer: httpx.Response, *codes: int) -> str:
    assert answer.status_code in (codes or (400,)), f"{answer.status_code}: {answer.text[:300]}"
    sentence: str = answer.json()["error"]
    assert len(sentence) > 10
    assert not INSIDE.search(sentence), sentence
    return sentence


def v1(image: Any) -> bytes:
    return json.dumps({"instances": [{"image": image}]}).encode()


def v2(data: Any, **more: Any) -> bytes:
    tensor = {"name": "image", "shape": [1], "datatype": "BYTES", "data": data, **more}
    return json.dumps({"inputs": [tensor]}).encode()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"[]", "must be"),
        (b"null", "must be"),
        (b"{}", "must be"),
        (b'{"instances": {}}', "must be"),
        (b'{"instances": []}', "the request has 0 images; it may have 1 to 32"),
        (b'{"instances": [1]}', "instance 0 must be of the form"),
        (b'{"instances": [{"image": {"b64": 7}}]}', "instance 0"),
        (v1({"b64": "*"}), "instance 0: the image is not base64"),
        (v1({"b64": ""}), "instance 0"),
        (v1({"b64": B64}), "instance 0"),
        (v1({"url": "http://localhost/x.png"}), "URLs and paths are not read"),
        (v1("file:///etc/passwd"), "URLs and paths are not read"),
        (b'{"instances": [], "parameters": []}', "1 to 32"),
        (b'{"instances": [{"image": {"b64": "YQ=="}}], "parameters": [1]}', "'parameters' must be an object"),
        (b'{"instances": [{"image": {"b64": "YQ=="}}], "parameters": {"text_det_thresh": 2}}', "text_det_thresh"),
        (b'{"instances": [{"image": {"b64": "YQ=="}}], "parameters": {"no_such": 2}}', "unknown parameter 'no_such'"),
        (b"[" * 200_000, "depth limit"),
        (b'{"instances": ' + b"[" * 900 + b"]" * 900 + b"}", "instance 0"),
        (b"\xff\xfe\x00", "not valid UTF-8"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_v1_json(client: httpx.Client, body: bytes, says: str) -> None:
    assert says in refused(client.post(V1, content=body, headers=JSON))


@pytest.mark.parametrize("body", [b"", b"not an image", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x1f\x8b\x08gzip"])
def test_v1_raw_bodies_that_are_no_images(client: httpx.Client, body: bytes) -> None:
    refused(client.post(V1, content=body, headers={"content-type": "image/png"}))


def test_a_truncated_jpeg(client: httpx.Client, receipt: bytes) -> None:
    for size in (len(receipt) // 2, len(receipt) - 2, 200):
        answer = client.post(V1, content=receipt[:size], headers={"content-type": "image/jpeg"})
        assert "truncated" in refused(answer)


def test_bombs_and_broken_files_cost_little_and_are_refused(client: httpx.Client, service: Service) -> None:
    """The whole corpus of hostile files over HTTP: 4xx or a reading, quickly, and the memory stays where it was."""
    client.post(V1, content=_dot(), headers={"content-type": "image/png"})
    before = service.rss_bytes()
    for name, make in nasty.CORPUS.items():
        started = time.monotonic()
        answer = client.post(V1, content=make(), headers={"content-type": "application/octet-stream"})
        took = time.monotonic() - started
        assert answer.status_code in (200, 400, 413), f"{name}: {answer.status_code} {answer.text[:200]}"
        if answer.status_code != 200:
            refused(answer, 400, 413)
        assert took < 2, f"{name} took {took:.1f} s"
    assert service.rss_bytes() - before < 50 * 1024 * 1024


def test_a_gzip_body_is_not_unpacked(client: httpx.Client) -> None:
    bomb = gzip.compress(bytes(20_000_000))
    answer = client.post(V1, content=bomb, headers={"content-type": "image/png", "content-encoding": "gzip"})
    refused(answer)


def test_the_wrong_instance_is_named_among_right_ones(client: httpx.Client, receipt: bytes) -> None:
    right = {"image": {"b64": base64.b64encode(receipt).decode()}}
    wrong = {"image": {"b64": B64}}
    answer = client.post(V1, json={"instances": [right, wrong, right]})
    assert refused(answer).startswith("instance 1:")


def test_content_types_that_no_route_reads(client: httpx.Client) -> None:
    for kind in ("application/xml", "multipart/form-data; boundary=x", "text/html"):
        assert "content type" in refused(client.post(V1, content=b"<x/>", headers={"content-type": kind}), 415)


@pytest.mark.parametrize(
    "query", ["text_det_thresh=high", "text_det_limit_side_len=1", "nothing=1", "return_word_box=7"]
)
def test_parameters_of_a_raw_body(client: httpx.Client, receipt: bytes, query: str) -> None:
    answer = client.post(f"{V1}?{query}", content=receipt, headers={"content-type": "image/jpeg"})
    assert query.partition("=")[0] in refused(answer)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b'{"inputs": []}', "input 'image' is missing"),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "INT32", "data": [1]}]}', "input 'x' is unknown"),
        (v2([1]), "must be strings"),
        (v2(["*"]), "image 0: the image is not base64"),
        (v2([B64]), "image 0"),
        (v2([B64], shape=[2]), "1 elements"),
        (v2([1.5], datatype="FP32"), "must be BYTES"),
        (v2([B64], datatype="FP8"), "datatype"),
        (v2([], shape=[0]), "1 to 32"),
    ],
    ids=lambda value: value[:60].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_v2_json(client: httpx.Client, body: bytes, says: str) -> None:
    assert says in refused(client.post(V2, content=body, headers=JSON))


def test_models_and_routes_that_do_not_exist(client: httpx.Client) -> None:
    refused(client.post("/v1/models/nope:predict", json={"instances": []}), 404)
    refused(client.post("/v2/models/nope/infer", content=v2([B64])), 404)
    refused(client.get("/v2/models/nope"), 404)
    refused(client.get("/v2/models/nope/ready"), 404)
    refused(client.get("/no/such/route"), 404)
    refused(client.put(V1), 405)


def test_models_can_not_be_loaded_or_unloaded_through_the_transformer(client: httpx.Client, service: Service) -> None:
    for verb in ("load", "unload"):
        refused(client.post(f"/v2/repository/models/ppocr/{verb}"), 404)
    with grpc.insecure_channel(service.grpc) as channel:
        for method in ("RepositoryModelLoad", "RepositoryModelUnload"):
            call = channel.unary_unary(f"/{oip.SERVICE}/{method}", lambda message: message, lambda raw: raw)
            with pytest.raises(grpc.RpcError) as caught:
                call(b"\x0a\x05ppocr", timeout=10)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED  # type: ignore[attr-defined]


def test_a_body_of_a_hundred_megabytes_and_one(client: httpx.Client) -> None:
    answer = client.post(V1, content=b"x" * (100 * 1024 * 1024 + 1), headers=JSON)
    assert "at most" in refused(answer, 413)


def _request(**tensor: Any) -> Any:
    raw = tensor.pop("raw", None)
    request = oip.ModelInferRequest(model_name=tensor.pop("model", "ppocr"))
    request.inputs.add(**{"name": "image", "datatype": "BYTES", "shape": [1], **tensor})
    if raw is not None:
        request.raw_input_contents.append(raw)
    return request


@pytest.mark.parametrize(
    ("request_", "code", "says"),
    [
        (oip.ModelInferRequest(model_name="ppocr"), "INVALID_ARGUMENT", "input 'image' is missing"),
        (_request(raw=b""), "INVALID_ARGUMENT", "ends after 0 of its 1"),
        (_request(raw=oip.pack_bytes([b"not an image"])), "INVALID_ARGUMENT", "image 0"),
        (_request(raw=b"a" * 12, datatype="FP32", shape=[3]), "INVALID_ARGUMENT", "must be BYTES"),
        (_request(raw=oip.pack_bytes([b""]), model="nope"), "NOT_FOUND", "nope"),
    ],
)
def test_grpc(service: Service, request_: Any, code: str, says: str) -> None:
    with grpc.insecure_channel(service.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        oip.unary(channel, "ModelInfer")(request_, timeout=30)
    error: Any = caught.value
    assert error.code().name == code
    assert says in error.details()
    assert not INSIDE.search(error.details())


def mutations(seed: int, body: bytes, count: int) -> Iterator[bytes]:
    """`body` with characters changed, cut out, doubled."""
    rng = random.Random(seed)
    for _ in range(count):
        mutant = bytearray(body)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(mutant) + 1)
            kind = rng.randrange(4)
            if kind == 0:
                mutant[at : at + 1] = rng.choice(string.printable).encode()
            elif kind == 1:
                del mutant[at : at + rng.randint(1, 20)]
            elif kind == 2:
                mutant[at:at] = mutant[at : at + rng.randint(1, 20)]
            else:
                mutant[at : at + 1] = bytes([rng.randrange(256)])
        yield bytes(mutant)


@pytest.mark.parametrize(("path", "message"), [(V1, FULL["v1"]), (V2, FULL["v2"])], ids=["v1", "v2"])
def test_a_value_of_a_wrong_type_is_read_or_refused(client: httpx.Client, path: str, message: Any) -> None:
    """At every place and of every type."""
    dot = base64.b64encode(_dot()).decode()
    right = json.loads(json.dumps(message).replace("YQ==", dot))
    assert client.post(path, json=right).status_code == 200
    for place, mutant in wrong_types(right):
        body = json.dumps(mutant).encode()
        answer = client.post(path, content=body, headers=JSON)
        assert answer.status_code in (200, 400), f"{place}: {answer.status_code} {answer.text[:200]}"


@pytest.mark.parametrize("path", DECLARED)
def test_bytes_of_every_content_type_never_get_a_5xx(client: httpx.Client, path: str) -> None:
    """On every path that a format declares, under every content type that any format declares, and some that none does."""
    url = path.replace("{model_name}", "ppocr").replace("{model_version}", "1")
    types = {known for each in FORMATS for known in each.declaration.content_types} | {
        "",
        "text/plain",
        "multipart/form-data",
    }
    right = [json.dumps(message).encode() for message in FULL.values()]
    for content_type in sorted(types):
        for body in (b"", b"\0", b"[" * 2_000, b"\xff\xd8\xff", _dot(), *right):
            answer = client.post(url, content=body, headers={"content-type": content_type.replace("*", "x")})
            assert answer.status_code in (200, 400, 415), f"{content_type} {body[:20]!r}: {answer.text[:200]}"


@pytest.mark.parametrize("path", [V1, V2])
def test_a_thousand_mutants_never_get_a_5xx(client: httpx.Client, path: str) -> None:
    """Of a request for a 1x1 image, which is quick to read where it survives."""
    dot = base64.b64encode(_dot()).decode()
    body = v1({"b64": dot}) if path == V1 else v2([dot])
    seen = set()
    for mutant in mutations(13, body, 1_000):
        answer = client.post(path, content=mutant, headers=JSON)
        seen.add(answer.status_code)
        assert answer.status_code < 500, mutant
        if answer.status_code != 200:
            refused(answer, 400, 413)
    assert 400 in seen


def test_mutants_of_a_grpc_message_never_break_the_server(service: Service) -> None:
    raw = _request(raw=oip.pack_bytes([_dot()])).SerializeToString()
    with grpc.insecure_channel(service.grpc) as channel:
        call = channel.unary_unary(f"/{oip.SERVICE}/ModelInfer", lambda message: message, lambda answer: answer)
        codes = set()
        for mutant in mutations(14, raw, 1_000):
            try:
                call(mutant, timeout=30)
            except grpc.RpcError as error:
                status: Any = error
                codes.add(status.code().name)
                assert status.code().name in ("INVALID_ARGUMENT", "NOT_FOUND"), status.details()
        assert "INVALID_ARGUMENT" in codes


def _dot() -> bytes:
    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
