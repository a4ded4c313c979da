"""Metrics and logging of both services. Every metric is listed in docs/metrics.md; a test says so."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

import ppocr_tracing

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128)

REQUESTS = Counter("ppocr_requests_total", "Requests answered, by route and status code.", ["route", "code"])
CLIENT_REQUESTS = Counter(
    "ppocr_client_requests_total",
    "Requests answered, by the name of the client's key and status code.",
    ["client", "code"],
)
REQUEST_SECONDS = Histogram("ppocr_request_seconds", "Time to answer a request.", ["route"], buckets=_SECONDS)
IN_FLIGHT = Gauge("ppocr_requests_in_flight", "Requests that are being answered.")
STAGE_SECONDS = Histogram(
    "ppocr_stage_seconds",
    "Time of one image in a stage of the transformer, or of one item in a stage of the predictor (queue, infer).",
    ["stage"],
    buckets=_SECONDS,
)
BATCH_ITEMS = Histogram("ppocr_batch_items", "Items that shared one run of a network.", ["model"], buckets=_ITEMS)
BATCH_PIXELS = Counter("ppocr_batch_pixels_total", "Pixels computed by a network.", ["model"])
DROPPED = Counter("ppocr_dropped_total", "Work dropped before it was computed, by reason.", ["reason"])
IMAGES = Counter("ppocr_images_total", "Images read.")
LINES = Counter("ppocr_lines_total", "Text lines read.")
BUNDLE = Gauge("ppocr_bundle_info", "The versions that serve: always 1.", ["name", "version"])
BUNDLE_STATE = Gauge(
    "ppocr_bundle_state",
    "State of each version in the repository: 1 at the one that it is in, of READY, LOADING, UNLOADING and UNAVAILABLE.",
    ["name", "version", "state"],
)
BUNDLE_LOADS = Counter("ppocr_bundle_loads_total", "Versions loaded after the start.")
BUNDLE_LOAD_FAILURES = Counter("ppocr_bundle_load_failures_total", "Versions that could not be loaded.")
BUNDLE_LOAD_SECONDS = Gauge("ppocr_bundle_load_seconds", "How long the last load took: checking, loading, warming up.")


def replace_series(gauge: Gauge, labels: Iterable[tuple[str, ...]]) -> None:
    """Sets the series of `labels` to 1, and removes those that `gauge` had and that aren't among them."""
    wanted = set(labels)
    for known in [tuple(sample.labels.values()) for metric in gauge.collect() for sample in metric.samples]:
        if known not in wanted:
            gauge.remove(*known)
    for each in wanted:
        gauge.labels(*each).set(1)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Measures one stage of one image, and shows it as a span of its trace."""
    start = time.perf_counter()
    try:
        with ppocr_tracing.span(name):
            yield
    finally:
        STAGE_SECONDS.labels(name).observe(time.perf_counter() - start, ppocr_tracing.exemplar())


def printable(text: str) -> str:
    """`text` with what doesn't print, such as line breaks and escape sequences, written as \\n and \\x1b."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _TextFormatter(logging.Formatter):
    """One line per record, whatever a caller put into a path; only our own traces have more, which begin with two spaces."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        known = ppocr_tracing.trace_id()
        record.message = printable(record.message) + (f" trace_id={known}" if known else "")
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        return "\n".join(f"  {printable(line)}" for line in super().formatException(ei).split("\n"))


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": self.formatTime(record), "level": record.levelname, "logger": record.name}
        line["message"] = printable(record.getMessage())
        if known := ppocr_tracing.trace_id():
            line["trace_id"] = known
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(level: str, form: str) -> None:
    """Sends all logs to stderr, as text or as one JSON object per line. Other libraries log from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    text = _TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(_JsonFormatter() if form == "json" else text)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("ppocr").setLevel(level.upper())
    for name in ("kserve", "kserve.trace", "uvicorn", "uvicorn.access", "uvicorn.error"):
        other = logging.getLogger(name)
        other.handlers[:] = []
        other.propagate = True
        other.setLevel(logging.WARNING)
