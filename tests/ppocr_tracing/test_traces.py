"""One trace from a caller's traceparent through both processes, as a collector gets it over OTLP."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from ppocr import oip
from tests import needs, services
from tests.ppocr_tracing.collector import Collector, Span, behind, collector
from tests.services import Service

JPEG = {"content-type": "image/jpeg"}
PREDICT = "POST /v1/models/{model_name}:predict"
OPENMETRICS = {"accept": "application/openmetrics-text"}


nightly = pytest.mark.skipif(not os.environ.get("PPOCR_NIGHTLY"), reason="OpenTelemetry's own collector: nightly")


@pytest.fixture(scope="module", params=["a receiver", pytest.param("otelcol", marks=nightly)])
def collected(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """What gets the spans: directly, and nightly through OpenTelemetry's own collector."""
    needs.module("opentelemetry.sdk")
    with collector() as running, contextlib.ExitStack() as stack:
        if request.param == "otelcol":
            stack.enter_context(behind(running, needs.program("otelcol"), tmp_path_factory.mktemp("otelcol")))
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, collected: Collector) -> Iterator[tuple[Service, Service]]:
    """A transformer and its predictor, which send their spans at once."""
    folder = tmp_path_factory.mktemp("traced")
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collected.address,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    with (
        services.predictor(folder / "predictor.log", **environ) as predictor,
        services.transformer(
            folder / "transformer.log", predictor.grpc, "--log_format", "json", "--track", "stable", **environ
        ) as transformer,
    ):
        yield transformer, predictor


def traceparent() -> tuple[str, str, str]:
    """A caller's trace and span, and the header that names both."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, f"00-{trace}-{span}-01"


def children(spans: list[Span], parent: Span) -> list[Span]:
    return [span for span in spans if span.parent == parent.span]


def one(spans: list[Span], name: str) -> Span:
    (found,) = [span for span in spans if span.name == name]
    return found


def test_a_request_is_one_trace(pair: tuple[Service, Service], collected: Collector, receipt: bytes) -> None:
    transformer, predictor = pair
    trace, caller, header = traceparent()
    address = f"{transformer.url}/v1/models/ppocr:predict"
    sent = {
        **JPEG,
        "traceparent": header,
        "baggage": "much=" + "x" * 8000,
    }  # which a call to the predictor couldn't carry
    answer = httpx.post(address, content=receipt, headers=sent, timeout=60)
    lines = len(answer.json()["predictions"][0]["lines"])
    spans = collected.trace(trace, caller)

    request = one(spans, PREDICT)
    assert (request.parent, request.service) == (caller, "ppocr-transformer")
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["ppocr.lines"] == lines
    image = one(spans, "image")
    assert image in children(spans, request)
    assert image.attributes["ppocr.bundle"].startswith("ppocrv6-small/")
    assert {"stage detect", "stage recognise", "stage order"} <= {span.name for span in children(spans, image)}
    for stage, inside in (("stage detect", {"scale", "det", "boxes"}), ("stage recognise", {"crops", "rec", "ctc"})):
        assert inside <= {span.name for span in children(spans, one(spans, stage))}

    asked = [span for span in spans if span.name in ("det", "rec")]  # lines in doubt are read once more
    called = {span for each in asked for span in children(spans, each)}
    assert {each.name for each in asked} == {"det", "rec"} and len(called) == len(asked)
    assert {(span.name, span.service) for span in called} == {("grpc:ModelInfer", "ppocr-predictor")}
    forwards = [span for call in called for span in children(spans, call)]
    assert {span.name for span in forwards} == {"queue", "infer"}
    inferred = [span for span in forwards if span.name == "infer"]
    by_network = {
        name: sum(span.attributes["ppocr.items"] for span in inferred if span.attributes["ppocr.network"] == name)
        for name in ("det", "rec")
    }
    assert by_network["det"] == 1 and by_network["rec"] >= lines
    assert all(span.attributes["ppocr.batch.items"] >= span.attributes["ppocr.items"] for span in inferred)
    assert {span.attributes["ppocr.bundle"] for span in forwards} == {image.attributes["ppocr.bundle"]}
    known = {span.span: span for span in spans}
    within = [(span, known[span.parent]) for span in spans if span.parent in known]
    assert len(within) == len(spans) - 1, "every span but the first has its parent in the trace"
    assert all(parent.begin - 2_000_000 <= span.begin <= span.end <= parent.end + 2_000_000 for span, parent in within)

    logged = [json.loads(line) for line in transformer.log.read_text().splitlines() if line.startswith("{")]
    assert [
        line["trace_id"] for line in logged if line["logger"] == "ppocr.access" and "predict" in line["message"]
    ] == [trace]
    assert f"trace_id={trace}" in predictor.log.read_text()
    metrics = httpx.get(f"{transformer.url}/metrics", headers=OPENMETRICS).text
    with_exemplars = set(re.findall(rf'^(\w+)_bucket.* # {{trace_id="{trace}"}}', metrics, re.MULTILINE))
    assert with_exemplars == {"ppocr_request_seconds", "ppocr_stage_seconds"}


def test_a_call_over_grpc_is_one_trace(pair: tuple[Service, Service], collected: Collector, receipt: bytes) -> None:
    trace, caller, header = traceparent()
    request = oip.ModelInferRequest(model_name="ppocr")
    request.inputs.add(name="image", datatype="BYTES", shape=[1]).contents.bytes_contents.append(receipt)
    with grpc.insecure_channel(pair[0].grpc) as channel:
        oip.unary(channel, "ModelInfer")(request, timeout=60, metadata=(("traceparent", header),))
    spans = collected.trace(trace, caller)
    first = next(span for span in spans if span.parent == caller)
    assert (first.name, first.service) == ("grpc:ModelInfer", "ppocr-transformer")
    assert first.attributes["rpc.grpc.status_code"] == 0
    assert one(spans, "image") in children(spans, first)


def test_a_request_without_a_caller_begins_a_trace_and_a_refused_one_has_no_error(
    pair: tuple[Service, Service], collected: Collector
) -> None:
    transformer, _ = pair
    trace, caller, header = traceparent()
    headers = {**JPEG, "traceparent": header}
    assert httpx.post(f"{transformer.url}/v1/models/ppocr:predict", content=b"x", headers=headers).status_code == 400
    (refused,) = [span for span in collected.trace(trace, caller) if span.name == PREDICT]
    assert not refused.failed and refused.attributes["http.response.status_code"] == 400
    before = trace_ids(transformer)
    httpx.get(f"{transformer.url}/v2/models/ppocr")
    deadline = time.monotonic() + 10
    while not (begun := trace_ids(transformer) - before - {trace}):
        assert time.monotonic() < deadline, "no line of the log names a new trace"
        time.sleep(0.05)
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in begun)


def trace_ids(service: Service) -> set[str]:
    """Those that the lines of a service's log name."""
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    return {line["trace_id"] for line in lines if line.get("trace_id")}


def test_a_caller_that_is_not_sampled_is_not_recorded(
    pair: tuple[Service, Service], collected: Collector, receipt: bytes
) -> None:
    trace, caller, header = traceparent()
    address = f"{pair[0].url}/v1/models/ppocr:predict"
    headers = {**JPEG, "traceparent": header.removesuffix("01") + "00"}
    assert httpx.post(address, content=receipt, headers=headers, timeout=60).status_code == 200
    assert collected.trace(trace, caller, seconds=0.5) == []
    assert trace not in pair[0].log.read_text()


@pytest.mark.skipif(not os.environ.get("PPOCR_NIGHTLY"), reason="starts one more service: nightly")
def test_a_collector_that_is_away_stops_nothing(tmp_path: Path, receipt: bytes) -> None:
    needs.module("opentelemetry.sdk")
    port = services.free_port()
    with services.all_in_one(
        tmp_path / "log", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}", OTEL_BSP_SCHEDULE_DELAY="100"
    ) as service:
        answer = httpx.post(f"{service.url}/v1/models/ppocr:predict", content=receipt, headers=JPEG, timeout=60)
        assert answer.status_code == 200
        assert service.stop(30) == 0
