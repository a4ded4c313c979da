"""OpenTelemetry traces of requests, if the standard OTEL_* variables enable them (docs/tracing.md).

Without those variables nothing of OpenTelemetry is imported here, and each function returns at once. With them `otel.py` does the
work. What is current is kept per task and per thread, as OpenTelemetry does it; `bound` carries it into another thread.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

log = logging.getLogger("ppocr.tracing")

T = TypeVar("T")
Value = str | int | float | bool
Attributes = Mapping[str, Value]
#: Names and values of HTTP headers or of gRPC's metadata.
Headers = Iterable[tuple[str | bytes, str | bytes]]
#: Adds a span that is over: name, begin and end as instants of `time.monotonic()`, attributes.
Past = Callable[[str, float, float, Attributes], None]

_EXPORTER, _DISABLED = "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_NOTHING: AbstractContextManager[object] = nullcontext()


class Tracing(Protocol):
    """What the functions below do where requests are traced."""

    def server(self, name: str, headers: Headers) -> AbstractContextManager[object]: ...
    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[object]: ...
    def note(self, name: str, attributes: Attributes, failed: bool) -> None: ...
    def trace_id(self) -> str: ...
    def outgoing(self) -> tuple[tuple[str, str], ...]: ...
    def bound(self, work: Callable[[], T]) -> Callable[[], T]: ...
    def past(self) -> Past | None: ...
    def close(self) -> None: ...


_active: Tracing | None = None


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the variables ask for traces: they name an exporter, or where one should send them."""
    if environ.get(_DISABLED, "").strip().lower() == "true":
        return False
    exporter = environ.get(_EXPORTER, "").strip().lower()
    return exporter != "none" and (bool(exporter) or any(environ.get(name) for name in _ENDPOINTS))


def start(service: str, attributes: Attributes) -> None:
    """Starts tracing if the variables ask for it. `service` is the default name; `attributes` describe the service.

    Traces are no reason not to serve: if they can't be had, the log says why.
    """
    global _active  # noqa: PLW0603 # a process has one, as it has one log
    if _active is not None or not wanted(os.environ):
        return
    try:
        from ppocr_tracing.otel import OpenTelemetry

        _active = OpenTelemetry(service, attributes, os.environ)
    except ModuleNotFoundError as error:
        log.warning("no traces: %s is missing: pip install 'ppocr-serving[otel]'", error.name)
    except ValueError as error:
        log.warning("no traces: %s", error)


def stop() -> None:
    """Sends what is left, for some seconds at most. Blocks."""
    global _active
    tracing, _active = _active, None
    if tracing is not None:
        tracing.close()


def server(name: str, headers: Headers) -> AbstractContextManager[object]:
    """The span of a request, below the caller's where `headers` name it; it is the current one inside."""
    return _NOTHING if _active is None else _active.server(name, headers)


def span(name: str, attributes: Attributes | None = None) -> AbstractContextManager[object]:
    """A span below the current one. Outside of a request there is none."""
    return _NOTHING if _active is None else _active.span(name, attributes or {})


def note(name: str, attributes: Attributes, *, failed: bool = False) -> None:
    """What became known of the current span while it ran; an empty `name` leaves it its name."""
    if _active is not None:
        _active.note(name, attributes, failed)


def trace_id() -> str:
    """The current trace's, 32 hexadecimal digits; "" if none is recorded."""
    return "" if _active is None else _active.trace_id()


def exemplar() -> dict[str, str] | None:
    """The labels that lead from a value of a histogram to its trace."""
    known = trace_id()
    return {"trace_id": known} if known else None


def outgoing() -> tuple[tuple[str, str], ...] | None:
    """gRPC metadata that makes the called service's span one below the current span."""
    return None if _active is None else _active.outgoing()


def bound(work: Callable[[], T]) -> Callable[[], T]:
    """`work` with the span that is current now, in whatever thread it runs."""
    return work if _active is None else _active.bound(work)


def past() -> Past | None:
    """Adds spans below the one that is current now, when they are over; None if nothing is recorded."""
    return None if _active is None else _active.past()
