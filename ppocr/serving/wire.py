"""The interface of a wire format, and how it answers requests over HTTP or gRPC.

    request → the first format of its path that takes it → model → answer, or the format's form of an error

`answer` is the entry point for every format and both protocols. Errors go through one mapping (status.py) before a format
sees them. Limits, deadlines and metrics are handled by the guard before.
"""

from __future__ import annotations

import asyncio
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import orjson

from ppocr.call import Call
from ppocr.serving.declaration import Declaration
from ppocr.serving.status import as_ppocr, http_answer
from ppocr_api.errors import PpocrError, UnsupportedMedia
from ppocr_limits.shown import command

T = TypeVar("T")

#: A request of at least this size in bytes is parsed in a thread, so that others don't wait.
LARGE = 1 << 20

#: Calls the model of a request with a payload.
Infer = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request before it is parsed.

    Over HTTP: `body`, `headers` (names in lower case), `query`, and `path`, the parts of the path that its template names.
    Over gRPC: `message`, and the metadata as `headers`.
    """

    call: Call
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    message: Any = None

    @property
    def content_type(self) -> str:
        """Without its parameters, in lower case; "" if the request has none."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def model(self) -> str | None:
        """The name of the requested model, or None if this format's requests don't have one."""
        named = self.path if self.message is None else {"model_name": getattr(self.message, "model_name", None)}
        return named.get("model_name")

    def line(self, line: str, there: Mapping[str, str] | None = None) -> str:
        """A working command for error messages; `there` has corrected parts of the path."""
        return command(line, self.headers, {**self.path, **(there or {})})

    async def parsed(self, parse: Callable[[WireRequest], T]) -> T:
        """The result of `parse`, run in a thread if it may take long."""
        size = len(self.body) if self.message is None else self.message.ByteSize()
        return parse(self) if size < LARGE else await asyncio.to_thread(parse, self)


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """An answer: `status`, `body` and `headers` over HTTP, `message` over gRPC.

    `error` is what went wrong, if anything did: over gRPC it becomes the status if there is no message.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    message: Any = None
    error: PpocrError | None = None


class WireFormat(ABC):
    """One wire format. It holds no state of a request."""

    @property
    @abstractmethod
    def declaration(self) -> Declaration:
        """Its paths and description."""

    def takes(self, request: WireRequest) -> bool:
        """Whether `request` is of this format. Called in order if several formats share a path."""
        return self.declaration.reads(request.content_type)

    @abstractmethod
    async def answer(self, request: WireRequest, infer: Infer) -> WireAnswer:
        """Reads the request, calls the model, writes the answer. Raises errors of the tree."""

    def render_error(self, request: WireRequest, error: PpocrError) -> WireAnswer:
        """`error` in the form of this format: a sentence in JSON, or over gRPC a status, unless it has another."""
        line = next((path.line for path in self.declaration.paths if path.path == request.call.route), "")
        return plain_error(error, request.line(line, getattr(error, "there", {})))

    def render_unrouted(self, error: PpocrError, status: int) -> WireAnswer:
        """404, or 405 for another method than this format's, if it alone is served on the port or the path."""
        return dataclasses.replace(plain_error(error), status=status)


def plain_error(error: PpocrError, line: str = "") -> WireAnswer:
    """HTTP's status with `{"error": sentence}`; gRPC's status with the sentence.

    Where the request's form is wrong, `line` is shown, a command that works, unless the sentence has one.
    """
    status, content, headers = http_answer(error)
    if line and error.wrong_form and "curl " not in content["error"]:
        content["error"] += f"; this works: {line}"
    return WireAnswer(orjson.dumps(content), status, {"content-type": "application/json", **headers}, error=error)


async def answer(formats: Sequence[WireFormat], request: WireRequest, infer: Infer) -> WireAnswer:
    """The answer to `request` by the first of `formats` that takes it. Never raises an Exception."""
    chosen = formats[0]
    try:
        chosen = _chosen(formats, request)
        return await chosen.answer(request, infer)
    except Exception as error:
        request.call.cancelled = True  # what else was started for it is dropped
        request.call.error = as_ppocr(error, request.call)
        # The request may be needed again for the error message.
        return await request.parsed(partial(chosen.render_error, error=request.call.error))


def _chosen(formats: Sequence[WireFormat], request: WireRequest) -> WireFormat:
    for each in formats:
        if request.message is not None or each.takes(request):
            return each
    known = [content_type for each in formats for content_type in each.declaration.content_types]
    raise UnsupportedMedia(f"content type {request.content_type[:60]!r}: send {', '.join(known[:-1])} or {known[-1]}")
