"""Without OTEL_* variables nothing is traced, nothing of OpenTelemetry is imported, and calls cost next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import timeit

import pytest

import ppocr_tracing
from tests import needs

ALL = """
import sys
from ppocr.serving.light_import import import_kserve
import_kserve()
import ppocr.serving.server, ppocr_local.service, predictor.opening
import transformer.reader, transformer.predictor_client, transformer.pre_post
import ppocr_tracing
ppocr_tracing.start("test", {})
print(*sorted({".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("opentelemetry")}))
"""
OWN = """
import sys
import ppocr_tracing, ppocr.telemetry
ppocr_tracing.start("test", {})
with ppocr_tracing.server("GET", []), ppocr.telemetry.stage("decode"):
    ppocr_tracing.note("x", {})
print(*[name for name in sys.modules if name.startswith("opentelemetry")])
"""


def modules(program: str, **environ: str) -> list[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**plain, **environ}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_nothing_is_imported() -> None:
    assert modules(OWN) == []
    assert modules(OWN, OTEL_SDK_DISABLED="true", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1") == []


def test_the_service_imports_no_sdk_and_no_exporter() -> None:
    """FastAPI, which KServe brings, imports the API of OpenTelemetry by itself; what traces is the SDK."""
    assert not {"opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto"} & set(modules(ALL))


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "True", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SERVICE_NAME": "ocr"}, False),
    ],
)
def test_what_asks_for_traces(environ: dict[str, str], wanted: bool) -> None:
    assert ppocr_tracing.wanted(environ) is wanted


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is 'zipkin', and may be otlp, console or none"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "may be http/protobuf or grpc"),
    ],
)
def test_what_cannot_be_had_is_a_warning(
    environ: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    needs.module("opentelemetry.sdk")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    ppocr_tracing.start("test", {})
    assert sentence in caplog.text
    assert ppocr_tracing.trace_id() == ""


def test_it_costs_next_to_nothing_when_off() -> None:
    """An image has some 15 spans: well under a tenth of a millisecond in all, of some hundred. The best of many short runs."""

    def request() -> None:
        with ppocr_tracing.server("POST", ()):
            for _ in range(15):
                with ppocr_tracing.span("stage"):
                    ppocr_tracing.exemplar()
            ppocr_tracing.note("POST /", {})

    assert min(timeit.repeat(request, number=20, repeat=50)) / 20 < 100e-6
