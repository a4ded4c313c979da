"""Requests with a value of a wrong type, with bytes changed, under any content type: read or refused, never a 5xx."""

from __future__ import annotations

import base64
import gzip
import json
import random
import string
import zlib
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest

from ppocr import oip
from tests.bad_requests.asking import INSIDE, JSON, V1, V2, dot, grpc_request, refused, v1, v2
from tests.services import Service
from tests.transformer.routes.exchanges import FULL
from tests.wrong_types import wrong_types
from transformer.routes import FORMATS

#: What the formats say themselves of where they are served.
DECLARED = sorted({path.path for each in FORMATS for path in each.declaration.paths})


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
    image = base64.b64encode(dot()).decode()
    right = json.loads(json.dumps(message).replace("YQ==", image))
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
        "multipart/form-data; boundary=x",
    }
    right = [json.dumps(message).encode() for message in FULL.values()]
    for content_type in sorted(types):
        for body in (b"", b"\0", b"[" * 2_000, b"\xff\xd8\xff", dot(), *right):
            answer = client.post(url, content=body, headers={"content-type": content_type.replace("*", "x")})
            assert answer.status_code in (200, 400, 415), f"{content_type} {body[:20]!r}: {answer.text[:200]}"


@pytest.mark.parametrize("path", [V1, V2])
def test_a_thousand_mutants_never_get_a_5xx(client: httpx.Client, path: str) -> None:
    """Of a request for a 1x1 image, which is quick to read where it survives."""
    image = base64.b64encode(dot()).decode()
    body = v1({"b64": image}) if path == V1 else v2([image])
    seen = set()
    for mutant in mutations(13, body, 1_000):
        answer = client.post(path, content=mutant, headers=JSON)
        seen.add(answer.status_code)
        assert answer.status_code < 500, mutant
        if answer.status_code != 200:
            refused(answer, 400, 413)
    assert 400 in seen


def test_mutants_of_forms_and_of_packed_bodies_never_get_a_5xx(client: httpx.Client) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    form = head + dot() + b'\r\n--x\r\nContent-Disposition: form-data; name="return_word_box"\r\n\r\ntrue\r\n--x--\r\n'
    cases = [
        (form, {"content-type": "multipart/form-data; boundary=x"}),
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


def test_mutants_of_a_grpc_message_never_break_the_server(service: Service) -> None:
    raw = grpc_request(raw=oip.pack_bytes([dot()])).SerializeToString()
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
