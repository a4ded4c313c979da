"""Every route refuses what it can't read: a 4xx (INVALID_ARGUMENT) with a sentence, nothing of the inside, and then it reads."""

from __future__ import annotations

import base64
import gzip
import time
from typing import Any

import grpc
import httpx
import pytest

from ppocr import oip
from tests.bad_requests.asking import B64, INSIDE, JSON, V1, V2, dot, grpc_request, refused, v1, v2
from tests.services import Service
from tests.transformer.images import nasty


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the body is empty"),
        (b"{", "the body is not JSON"),
        (b"[]", "must be"),
        (b"null", "must be"),
        (b"{}", "must be"),
        (b'{"instances": {}}', "must be"),
        (b'{"instances": []}', "the request has 0 images, and must have 1 to 32"),
        (b'{"instances": [1]}', "instance 0 must be of the form"),
        (b'{"instances": [{"image": {"b64": 7}}]}', "instance 0"),
        (v1({"b64": "*"}), "instance 0: the image is not base64"),
        (v1({"b64": ""}), "instance 0"),
        (v1({"b64": B64}), "instance 0"),
        (v1({"url": "http://localhost/x.png"}), "URLs and paths are not accepted"),
        (v1("file:///etc/passwd"), "URLs and paths are not accepted"),
        (b'{"instances": [], "parameters": []}', "'parameters' must be an object"),
        (b'{"instances": [{"image": {"b64": "YQ=="}}], "parameters": [1]}', "'parameters' must be an object"),
        (b'{"instances": [{"image": {"b64": "YQ=="}}], "parameters": {"text_det_thresh": 2}}', "text_det_thresh"),
        (b'{"instances": [{"image": {"b64": "YQ=="}}], "parameters": {"no_such": 2}}', "unknown parameter 'no_such'"),
        (b"[" * 50_000, "depth limit"),
        (b"[" * 200_000, "more than 100000 values"),
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
    client.post(V1, content=dot(), headers={"content-type": "image/png"})
    service.wait_prepared()
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


def test_what_comes_out_of_a_gzip_body_is_refused_like_any_other(client: httpx.Client) -> None:
    packed = {"content-type": "image/png", "content-encoding": "gzip"}
    assert "not an image in a supported format" in refused(
        client.post(V1, content=gzip.compress(bytes(20_000_000)), headers=packed)
    )
    assert "at most" in refused(client.post(V1, content=gzip.compress(bytes(101 << 20), 1), headers=packed), 413)
    assert "gzip data" in refused(client.post(V1, content=b"not packed", headers=packed))


def test_the_wrong_instance_is_named_among_right_ones(client: httpx.Client, receipt: bytes) -> None:
    right = {"image": {"b64": base64.b64encode(receipt).decode()}}
    wrong = {"image": {"b64": B64}}
    answer = client.post(V1, json={"instances": [right, wrong, right]})
    assert refused(answer).startswith("instance 1:")


def test_content_types_that_no_route_reads(client: httpx.Client) -> None:
    for kind in ("application/xml", "application/zip", "text/html"):
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
        (b"", "the request is empty"),
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


@pytest.mark.parametrize(
    ("request_", "code", "says"),
    [
        (oip.ModelInferRequest(model_name="ppocr"), "INVALID_ARGUMENT", "input 'image' is missing"),
        (grpc_request(raw=b""), "INVALID_ARGUMENT", "ends after 0 of its 1"),
        (grpc_request(raw=oip.pack_bytes([b"not an image"])), "INVALID_ARGUMENT", "image 0"),
        (grpc_request(raw=b"a" * 12, datatype="FP32", shape=[3]), "INVALID_ARGUMENT", "must be BYTES"),
        (grpc_request(raw=oip.pack_bytes([b""]), model="nope"), "NOT_FOUND", "nope"),
    ],
)
def test_grpc(service: Service, request_: Any, code: str, says: str) -> None:
    with grpc.insecure_channel(service.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        oip.unary(channel, "ModelInfer")(request_, timeout=30)
    error: Any = caught.value
    assert error.code().name == code
    assert says in error.details()
    assert not INSIDE.search(error.details())
