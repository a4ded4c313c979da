"""Errors of a model as a caller and the log see them, over HTTP and over gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest

from ppocr_api import errors, oip
from ppocr_api.error_mapping import from_grpc, from_http
from tests import services
from tests.services import Service

URL = "/v2/models/broken/infer"


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("broken") / "log"
    with services.running(["tests.ppocr.serving.broken", "--host", "127.0.0.1"], log) as running:
        yield running


def over_http(broken: Service, fails: str) -> httpx.Response:
    tensor = {"name": "x", "datatype": "INT32", "shape": [1], "data": [0]}
    return httpx.post(broken.url + URL, json={"id": fails, "inputs": [tensor]}, timeout=30)


def over_grpc(broken: Service, fails: str) -> Any:
    request = oip.ModelInferRequest(model_name="broken", id=fails)
    request.inputs.add(name="x", datatype="INT32", shape=[1]).contents.int_contents.append(0)
    with grpc.insecure_channel(broken.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        oip.unary(channel, "ModelInfer")(request, timeout=30)
    return refused.value


@pytest.mark.parametrize(
    "kind", ["InvalidImage", "ImageTooLarge", "NotFound", "Overloaded", "BundleError", "EngineError"]
)
def test_http_and_grpc_say_the_same(broken: Service, kind: str) -> None:
    expected: type[errors.PpocrError] = getattr(errors, kind)
    answer, refused = over_http(broken, kind), over_grpc(broken, kind)
    assert answer.status_code == expected.http
    assert refused.code().name == expected.grpc
    assert answer.json() == {"error": refused.details()} == {"error": "said to the caller"}
    trailing = dict(refused.trailing_metadata())
    assert answer.headers.get("retry-after") == trailing.get("retry-after")
    back = from_http(answer.status_code, "", answer.headers.get("retry-after"))
    assert back.retry_after == from_grpc(refused.code().name, "", trailing.get("retry-after")).retry_after


@pytest.mark.parametrize(("seconds", "header"), [("0.2", "1"), ("1.2", "2"), ("2.5", "3"), ("60", "60")])
def test_retry_after_is_rounded_up_by_both(broken: Service, seconds: str, header: str) -> None:
    answer, refused = over_http(broken, f"Overloaded {seconds}"), over_grpc(broken, f"Overloaded {seconds}")
    assert answer.headers["retry-after"] == dict(refused.trailing_metadata())["retry-after"] == header


@pytest.mark.parametrize("ask", [over_http, over_grpc])
def test_an_unexpected_error_is_logged_once_and_not_shown(broken: Service, ask: Any) -> None:
    before = broken.log.read_text()
    answer = ask(broken, "something else")
    if isinstance(answer, httpx.Response):
        assert (answer.status_code, answer.json()) == (500, {"error": "internal error"})
    else:
        assert (answer.code(), answer.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    # The line of the access log comes last.
    said = log_until(broken, before, "grpc:ModelInfer" if ask is over_grpc else URL)
    assert said.count("Traceback (most recent call last)") == 1
    assert said.count("KeyError: 'of the inside'") == 1
    assert said.count("ERROR") == 1


def test_no_path_makes_a_line_of_its_own(broken: Service) -> None:
    before = broken.log.read_text()
    assert httpx.get(f"{broken.url}/v1/%0a2026-01-01%20ERROR%20forged%1b[31m").status_code == 404
    said = log_until(broken, before, "forged")
    (line,) = [line for line in said.splitlines() if "forged" in line]
    assert line.isprintable()
    assert "INFO" in line and r"/v1/\n2026-01-01 ERROR forged\x1b[31m" in line


def log_until(broken: Service, before: str, text: str) -> str:
    """What was logged after `before`, up to the line of the access log with `text`."""
    for _ in range(1000):
        said = broken.log.read_text()[len(before) :]
        if any(text in line and "ppocr.access" in line for line in said.splitlines()):
            return said
        httpx.get(f"{broken.url}/v2/health/live")  # the log is written between two requests
    raise AssertionError(f"{text} is not in the log:\n{said}")
