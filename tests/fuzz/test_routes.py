"""Requests made from the declarations, to every path and every gRPC method: each is answered, or refused with a sentence.

No 5xx but a 503 or 504 that says when to come again, nothing of the inside in an answer, no answer after a long time, and the
service lives on with the memory that it had. Some hundred requests by day; with PPOCR_NIGHTLY=1 ten minutes of them, or
PPOCR_FUZZ_SECONDS.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import grpc
import httpx
import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings

from ppocr.serving.declaration import Declaration, Path
from ppocr_grpc.methods import GrpcMethod
from tests.fuzz.http_requests import HttpRequest, requests
from tests.fuzz.messages import messages
from tests.fuzz.targets import INSIDE
from tests.services import Service
from tests.test_routes import DECLARED

pytestmark = pytest.mark.alone

NIGHTLY = os.environ.get("PPOCR_NIGHTLY") == "1"
MIB = 1 << 20
#: An answer's longest time in seconds, on a machine that does other things too.
SLOWEST = 10.0
#: What the service may hold more afterwards: sizes of images that it meets for the first time cost some.
MAX_GROWTH = 100 * MIB
#: Calls that gRPC itself answers when their time is over, and those that have no end of their own.
STREAM_SECONDS = 5.0

#: Each declared path once for each format that shares it.
CASES = {
    f"{declared.name} {method} {path.path}": (declared, path, method)
    for declared in DECLARED
    for path in declared.paths
    for method in path.methods
}
WITH_A_BODY = {name: case for name, case in CASES.items() if case[1].bodies}
OTHERS = {name: case for name, case in CASES.items() if not case[1].bodies}
METHODS = list({f"{method.service}/{method.method}": method for each in DECLARED for method in each.grpc}.values())
#: Seconds of them all together at night, and for each.
TOGETHER = int(os.environ.get("PPOCR_FUZZ_SECONDS", "600"))
SECONDS = {
    "bodies": TOGETHER * 0.65 / len(WITH_A_BODY),
    "others": TOGETHER * 0.1 / len(OTHERS),
    "grpc": TOGETHER * 0.25 / len(METHODS),
}


@pytest.fixture(scope="module", autouse=True)
def level(service: Service, receipt: bytes) -> Iterator[None]:
    """The service lives on after all of it, reads, and has the memory that it had."""
    with httpx.Client(base_url=service.url, timeout=60) as client:
        predict, jpeg = "/v1/models/ppocr:predict", {"content-type": "image/jpeg"}
        service.wait_prepared()
        turned = {
            "use_doc_orientation_classify": "true",
            "use_textline_orientation": "true",
        }  # which load at their first use
        for parameters in ({}, turned, {}):
            assert client.post(predict, content=receipt, headers=jpeg, params=parameters).status_code == 200
        before = service.rss_bytes()
        yield
        assert service.process.poll() is None
        assert client.post(predict, content=receipt, headers=jpeg).json()["predictions"][0]["lines"]
        assert service.rss_bytes() - before < MAX_GROWTH


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def channel(service: Service) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(service.grpc) as channel:
        yield channel


def try_many(check: Callable[[Any], None], strategy: Any, examples: int, seconds: float) -> None:
    """By day the same `examples` each time; at night others until the time is over."""
    known: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
    if not NIGHTLY:
        settings(max_examples=examples, derandomize=True, **known)(given(strategy)(check))()
        return
    end = time.monotonic() + seconds
    for number in itertools.count(time.time_ns()):
        tried = settings(max_examples=100, **known)(given(strategy)(check))
        hypothesis.seed(number)(tried)()
        if time.monotonic() > end:
            return


def shows_nothing(text: str, given: bytes) -> None:
    """Of the inside; what the caller said may come back."""
    for found in INSIDE.findall(text):
        assert found.encode() in given, text[:500]


def ask(client: httpx.Client, request: HttpRequest) -> None:
    headers = {name: value.encode("latin-1") for name, value in request.headers.items()}
    began = time.monotonic()
    answer = client.request(request.method, request.url, content=request.body, headers=headers)
    assert time.monotonic() - began < SLOWEST
    said = f"{answer.status_code} {answer.text[:500]}"
    assert answer.status_code < 500 or answer.status_code in (503, 504), said
    assert answer.status_code not in (429, 503) or "retry-after" in answer.headers, said
    if answer.headers.get("content-type", "") == "application/json" and answer.content:
        json.loads(answer.content)
    if answer.status_code != 200 or request.method == "POST":  # some formats put what was wrong into a 200
        shows_nothing(answer.text, request.url.encode() + request.body)


@pytest.mark.parametrize(("declared", "path", "method"), WITH_A_BODY.values(), ids=WITH_A_BODY)
def test_bodies(client: httpx.Client, declared: Declaration, path: Path, method: str) -> None:
    try_many(lambda request: ask(client, request), requests(declared, path, method), 25, SECONDS["bodies"])


@pytest.mark.parametrize(("declared", "path", "method"), OTHERS.values(), ids=OTHERS)
def test_paths_without_a_body(client: httpx.Client, declared: Declaration, path: Path, method: str) -> None:
    try_many(lambda request: ask(client, request), requests(declared, path, method), 3, SECONDS["others"])


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.service}/{method.method}")
def test_grpc(channel: grpc.Channel, method: GrpcMethod) -> None:
    try_many(lambda message: call(channel, method, message), messages(method), 12, SECONDS["grpc"])


def call(channel: grpc.Channel, method: GrpcMethod, message: bytes) -> None:
    name = f"/{method.service}/{method.method}"
    began = time.monotonic()
    try:
        if method.stream == "answers":  # it never ends by itself
            answers = channel.unary_stream(name)(message, timeout=STREAM_SECONDS)
            with suppress(StopIteration):
                next(answers)
            answers.cancel()
        elif method.stream:
            for answer in channel.stream_stream(name)(iter([message]), timeout=STREAM_SECONDS):
                shows_nothing(getattr(method.response.FromString(answer), "error_message", ""), message)
        else:
            method.response.FromString(channel.unary_unary(name)(message, timeout=60))
    except grpc.RpcError as error:
        status: Any = error
        code, details = status.code().name, status.details()
        assert code in ("INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "UNAVAILABLE"), f"{code} {details}"
        if code in ("RESOURCE_EXHAUSTED", "UNAVAILABLE"):
            assert "retry-after" in dict(status.trailing_metadata()), details
        shows_nothing(details, message)
    assert time.monotonic() - began < SLOWEST
