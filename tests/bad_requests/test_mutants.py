"""Requests with a value of a wrong type, with bytes changed, under any content type: read or refused, never a 5xx.

Of mutants there are 60 of each format by day, and 1,000 with PPOCR_NIGHTLY=1: tests/fuzz has the parsers meet far more of them.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import grpc
import httpx
import pytest

from ppocr import oip
from tests.bad_requests.asking import INSIDE, JSON, V1, dot, grpc_request, refused, v1, v2
from tests.fuzz.mutators import changed_bytes
from tests.services import Service
from tests.transformer.routes.exchanges import FULL
from tests.wrong_types import wrong_types
from transformer.routes import FORMATS
from transformer.routes import pdserving_messages_pb2 as messages
from transformer.routes.pdserving import SERVICE

MUTANTS = 1_000 if os.environ.get("PPOCR_NIGHTLY") == "1" else 60
#: What the formats say themselves of where they are served.
DECLARED = sorted({path.path for each in FORMATS for path in each.declaration.paths})


def url_of(path: str) -> str:
    """A declared path with its parts named."""
    return path.replace("{model_name}", "ppocr").replace("{model_version}", "1").replace("{module}", "ocr_system")


#: Where each format that takes JSON reads it.
URLS = {each.declaration.name: url_of(each.declaration.paths[0].path) for each in FORMATS}


def mutations(seed: int, body: bytes, count: int) -> Iterator[bytes]:
    """`body` with bytes changed, `count` times."""
    dice = random.Random(seed)
    for _ in range(count):
        yield changed_bytes(body, dice)


def right(name: str) -> Any:
    """The request of the format `name` that has every member, for an image of one pixel, which is quick to read."""
    return json.loads(json.dumps(FULL[name]).replace("YQ==", base64.b64encode(dot()).decode()))


@pytest.mark.parametrize("name", FULL)
def test_a_value_of_a_wrong_type_is_read_or_refused(client: httpx.Client, name: str) -> None:
    """At every place and of every type."""
    assert client.post(URLS[name], json=right(name)).status_code == 200
    for place, mutant in wrong_types(right(name)):
        body = json.dumps(mutant).encode()
        answer = client.post(URLS[name], content=body, headers=JSON)
        assert answer.status_code in (200, 400, 422), f"{place}: {answer.status_code} {answer.text[:200]}"
        assert not INSIDE.search(answer.text), place


@pytest.mark.parametrize("path", DECLARED)
def test_bytes_of_every_content_type_never_get_a_5xx(client: httpx.Client, path: str) -> None:
    """On every path that a format declares, under every content type that any format declares, and some that none does."""
    url = url_of(path)
    types = {known for each in FORMATS for known in each.declaration.content_types} | {
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
    }
    bodies = [json.dumps(message).encode() for message in FULL.values()]
    for content_type in sorted(types):
        for body in (b"", b"\0", b"[" * 2_000, b"\xff\xd8\xff", dot(), *bodies):
            answer = client.post(url, content=body, headers={"content-type": content_type.replace("*", "x")})
            assert answer.status_code in (200, 400, 405, 415, 422), f"{content_type} {body[:20]!r}: {answer.text[:200]}"


@pytest.mark.parametrize("name", FULL)
def test_mutants_never_get_a_5xx(client: httpx.Client, name: str) -> None:
    """Of a request for a 1x1 image, which is quick to read where it survives."""
    image = base64.b64encode(dot()).decode()
    small = {"v1": v1({"b64": image}), "v2": v2([image])}
    body = small.get(name) or json.dumps(right(name)).encode()
    answers = 0
    for mutant in mutations(13, body, MUTANTS):
        answer = client.post(URLS[name], content=mutant, headers=JSON)
        assert answer.status_code < 500, mutant
        assert not INSIDE.search(answer.text), mutant
        if answer.status_code != 200 and name in small:
            refused(answer, 400, 413)
        answers += answer.status_code != 200
    # PaddleServing and PaddleHub put what was wrong into a 200.
    assert answers > 0 or name in ("pdserving", "web_service", "hubserving")


def test_mutants_of_forms_and_of_packed_bodies_never_get_a_5xx(client: httpx.Client) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    form = head + dot() + b'\r\n--x\r\nContent-Disposition: form-data; name="return_word_box"\r\n\r\ntrue\r\n--x--\r\n'
    cases = [
        (form, {"content-type": "multipart/form-data; boundary=x"}),
        (
            urlencode({"return_word_box": "1", "image": base64.b64encode(dot())}).encode(),
            {"content-type": "application/x-www-form-urlencoded"},
        ),
        (gzip.compress(dot()), {"content-encoding": "gzip"}),
        (zlib.compress(dot()), {"content-encoding": "deflate"}),
    ]
    for seed, (body, headers) in enumerate(cases):
        assert client.post(V1, content=body, headers=headers).status_code == 200
        for mutant in mutations(20 + seed, body, 500):
            answer = client.post(V1, content=mutant, headers=headers)
            assert answer.status_code in (200, 400, 413), f"{mutant!r}: {answer.status_code} {answer.text[:200]}"
            if answer.status_code != 200:
                refused(answer, 400, 413)


def test_mutants_of_a_pipelines_grpc_message_never_break_the_server(service: Service) -> None:
    image = base64.b64encode(dot()).decode()
    request = messages.Request(key=["image", "x"], value=[image, "y"], logid=7, name="ocr")
    request.tensors.add(name="image", elem_type=12, str_data=[image], shape=[1])
    with grpc.insecure_channel(service.grpc) as channel:
        call = channel.unary_unary(f"/{SERVICE}/inference", response_deserializer=messages.Response.FromString)
        seen = set()
        for mutant in mutations(16, request.SerializeToString(), 500):
            try:
                seen.add(call(mutant, timeout=30).err_no)
            except grpc.RpcError as error:
                status: Any = error
                assert status.code().name == "INVALID_ARGUMENT", status.details()
        assert seen >= {0, 10000}


def pixels() -> Any:
    """Of docling's form: an image of one pixel, and its language."""
    request = grpc_request(raw=b"\xff\xff\xff", datatype="UINT8", shape=[1, 1, 1, 3])
    request.inputs.add(name="lang_type", datatype="BYTES", shape=[1, 1])
    request.raw_input_contents.append(oip.pack_bytes([b"english"]))
    return request


@pytest.mark.parametrize("message", [grpc_request(raw=oip.pack_bytes([dot()])), pixels()], ids=["files", "pixels"])
def test_mutants_of_a_grpc_message_never_break_the_server(service: Service, message: Any) -> None:
    raw = message.SerializeToString()
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


def test_mutants_in_a_stream_are_each_answered(service: Service) -> None:
    raw = grpc_request(raw=oip.pack_bytes([dot()])).SerializeToString()
    mutants = [*mutations(15, raw, 300), raw]
    with grpc.insecure_channel(service.grpc) as channel:
        call = channel.stream_stream(
            f"/{oip.SERVICE}/ModelStreamInfer", lambda message: message, oip.ModelStreamInferResponse.FromString
        )
        answers = list(call(iter(mutants), timeout=120))
    assert len(answers) == len(mutants)
    assert answers[-1].infer_response.model_name == "ppocr"
    assert not any(INSIDE.search(answer.error_message) for answer in answers)
