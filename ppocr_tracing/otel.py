"""Traces by OpenTelemetry's SDK, which reads the OTEL_* variables. Imported only if tracing is on.

The provider is this package's own and not the process' global one: libraries that trace by themselves if they find one, as
FastAPI does, would show each request twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import baggage, propagate, trace
from opentelemetry import context as otel_context
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from ppocr_api import __version__
from ppocr_tracing import Attributes, Headers, Past, T

#: How long the end of a process may wait for the collector [ms].
FLUSH_MS = 3000
_NANO = 1_000_000_000


class OpenTelemetry:
    """`ppocr_tracing.Tracing` on a provider of its own. Raises ValueError for variables that name what isn't there."""

    def __init__(self, service: str, attributes: Attributes, environ: Mapping[str, str]) -> None:
        named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        known = {SERVICE_VERSION: __version__, **attributes, **({} if named else {SERVICE_NAME: service})}
        self._provider = TracerProvider(resource=Resource.create(known), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_exporter(environ)))
        self._tracer = self._provider.get_tracer("ppocr", __version__)

    def server(self, name: str, headers: Headers) -> AbstractContextManager[object]:
        carrier = {_text(key).lower(): _text(value) for key, value in headers}
        # A caller's baggage isn't passed on: nothing here reads it, and 8 KB of it are more than a gRPC call may carry.
        parent = baggage.clear(propagate.extract(carrier, otel_context.Context()))
        span: AbstractContextManager[object] = self._tracer.start_as_current_span(name, parent, SpanKind.SERVER)
        return span

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[object]:
        if not trace.get_current_span().is_recording():
            return nullcontext()
        span: AbstractContextManager[object] = self._tracer.start_as_current_span(name, attributes=attributes)
        return span

    def note(self, name: str, attributes: Attributes, failed: bool) -> None:
        span = trace.get_current_span()
        if name:
            span.update_name(name)
        span.set_attributes(attributes)
        if failed:
            span.set_status(Status(StatusCode.ERROR))

    def trace_id(self) -> str:
        span = trace.get_current_span()
        return trace.format_trace_id(span.get_span_context().trace_id) if span.is_recording() else ""

    def outgoing(self) -> tuple[tuple[str, str], ...]:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        return tuple(carrier.items())

    def bound(self, work: Callable[[], T]) -> Callable[[], T]:
        here = otel_context.get_current()

        def run() -> T:
            with _attached(here):
                return work()

        return run

    def past(self) -> Past | None:
        if not trace.get_current_span().is_recording():
            return None
        parent = otel_context.get_current()
        since = time.time_ns() - time.monotonic_ns()

        def add(name: str, began: float, ended: float, attributes: Attributes) -> None:
            span = self._tracer.start_span(name, parent, attributes=attributes, start_time=since + int(began * _NANO))
            span.end(since + int(ended * _NANO))

        return add

    def close(self) -> None:
        self._provider.force_flush(FLUSH_MS)
        self._provider.shutdown()


@contextmanager
def _attached(context: otel_context.Context) -> Iterator[None]:
    token = otel_context.attach(context)
    try:
        yield
    finally:
        otel_context.detach(token)


def _exporter(environ: Mapping[str, str]) -> SpanExporter:
    """What the variables name; by their specification OTLP over HTTP if they name none."""
    name = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    if name == "console":
        return ConsoleSpanExporter()
    if name != "otlp":
        raise ValueError(f"OTEL_TRACES_EXPORTER is {name!r}, and may be otlp, console or none")
    protocols = (environ.get(f"OTEL_EXPORTER_OTLP_{part}PROTOCOL") for part in ("TRACES_", ""))
    protocol = next((each.strip().lower() for each in protocols if each), "http/protobuf")
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp

        return OverHttp()
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc

        return OverGrpc()
    raise ValueError(f"the protocol of OTLP is {protocol!r}, and may be http/protobuf or grpc")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
