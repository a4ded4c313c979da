"""A server of OTLP over gRPC, on the protocol's own stubs, that keeps the spans it is sent."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from tests.services import free_port


@dataclass(frozen=True)
class Span:
    """One span; `service` is its process' service.name, `parent` "" for one without."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    begin: int
    end: int
    failed: bool
    attributes: dict[str, Any] = field(hash=False)


class Collector:
    """What arrived so far; `address` is where to send it."""

    def __init__(self) -> None:
        self.address = ""
        self._spans: list[Span] = []
        self._changed = threading.Condition()

    def add(self, request: Any) -> None:
        found = [span for resource in request.resource_spans for span in _spans(resource)]
        with self._changed:
            self._spans += found
            self._changed.notify_all()

    def trace(self, trace: str, caller: str, seconds: float = 30.0) -> list[Span]:
        """The spans of a trace, when the one below the `caller`'s is among them and each call of a network has arrived from the
        predictor's side too, or time is up."""

        def found() -> list[Span]:
            return [span for span in self._spans if span.trace == trace]

        def whole() -> bool:
            spans, parents = found(), {span.parent for span in found()}
            calls = [span for span in spans if span.name in ("det", "rec", "grpc:ModelInfer")]
            return caller in parents and all(call.span in parents for call in calls)

        with self._changed:
            self._changed.wait_for(whole, seconds)
            return found()


@contextmanager
def collector(host: str = "127.0.0.1") -> Iterator[Collector]:
    """Listens on an address of this machine until the block ends."""
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

    kept = Collector()

    class Receiver(trace_service_pb2_grpc.TraceServiceServicer):  # type: ignore[misc]
        def Export(self, request: Any, context: Any) -> Any:
            kept.add(request)
            return trace_service_pb2.ExportTraceServiceResponse()

    server = grpc.server(futures.ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Receiver(), server)
    kept.address = f"http://{host}:{server.add_insecure_port(f'{host}:0')}"
    server.start()
    try:
        yield kept
    finally:
        server.stop(1).wait()


@contextmanager
def behind(kept: Collector, otelcol: str, folder: Path) -> Iterator[None]:
    """Puts OpenTelemetry's own collector before `kept`, whose address is the collector's then."""
    address = f"127.0.0.1:{free_port()}"
    pipeline = {"receivers": ["otlp"], "exporters": ["otlp_grpc"]}
    config = {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": address}}}},
        "exporters": {"otlp_grpc": {"endpoint": kept.address.removeprefix("http://"), "tls": {"insecure": True}}},
        "service": {"telemetry": {"metrics": {"level": "none"}}, "pipelines": {"traces": pipeline}},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([otelcol, "--config", folder / "config.yaml"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while b"Everything is ready" not in (folder / "log").read_bytes():
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        kept.address = f"http://{address}"
        yield
    finally:
        process.terminate()
        process.wait(30)


def _spans(resource: Any) -> Iterator[Span]:
    service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
    for scope in resource.scope_spans:
        for span in scope.spans:
            attributes = {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}
            yield Span(
                service,
                span.name,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                span.start_time_unix_nano,
                span.end_time_unix_nano,
                span.status.code == span.status.STATUS_CODE_ERROR,
                attributes,
            )
