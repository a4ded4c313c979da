"""The one middleware around all HTTP routes: body limit, deadline, cancellation, metrics, access log, errors."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import orjson

from ppocr import telemetry
from ppocr.serving import context
from ppocr.serving.context import TRACK_HEADER
from ppocr.serving.status import as_ppocr, http_answer
from ppocr_api.errors import DeadlineExceeded, PayloadTooLarge, PpocrError, RequestError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

log = logging.getLogger("ppocr.access")

#: A client's own bound, in milliseconds; Envoy sends the second one by itself.
TIMEOUT_HEADERS = (b"x-request-timeout-ms", b"x-envoy-expected-rq-timeout-ms")
CLIENT_LEFT = 499
_QUIET = ("/metrics", "/healthz", "/v2/health/live", "/v2/health/ready")


class RequestGuard:
    """Reads the body up to its limit, then runs the application until it has answered, the client has left, or time is up."""

    def __init__(self, app: App, *, max_body_bytes: int, timeout_seconds: float, track: str = "") -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._timeout_seconds = timeout_seconds
        self._headers = [(TRACK_HEADER.encode(), track.encode())] if track else []

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        headers = dict(scope["headers"])
        request = context.RequestContext(
            route="unknown",
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
            content_type=headers.get(b"content-type", b"").decode("latin-1").split(";")[0].strip().lower(),
        )
        context.enter(request)
        answer = _Answer(send, self._headers)
        telemetry.IN_FLIGHT.inc()
        try:
            request.deadline = started + self._seconds(headers)
            try:
                async with asyncio.timeout(request.remaining()):
                    body = await self._body(headers, receive)
            except TimeoutError:
                raise DeadlineExceeded("the body did not arrive within the request's time limit") from None
            if body is None:
                answer.code = CLIENT_LEFT
            else:
                await self._run(scope, body, receive, answer, request)
        except Exception as error:
            # Starlette answers and raises again: only what it left unanswered, or answered in part, is ours to say.
            if not (answer.begun and answer.code == HTTPStatus.INTERNAL_SERVER_ERROR):
                await answer.error(as_ppocr(error))
        finally:
            telemetry.IN_FLIGHT.dec()
            self._record(scope, request, answer.code, time.monotonic() - started)

    def _seconds(self, headers: dict[bytes, bytes]) -> float:
        seconds = self._timeout_seconds
        for name in TIMEOUT_HEADERS:
            if name in headers:
                try:
                    asked = float(headers[name]) / 1000
                except ValueError:
                    raise RequestError(f"the header {name.decode()} must be a number of milliseconds") from None
                if not asked > 0:
                    raise RequestError(f"the header {name.decode()} must be above 0")
                seconds = min(seconds, asked)
        return seconds

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """The whole body, or None when the client left before it was here."""
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._max_body_bytes:
            raise self._too_large(f"{int(declared)} bytes")
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self._max_body_bytes:
                raise self._too_large("more")
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_large(self, came: str) -> PayloadTooLarge:
        return PayloadTooLarge(f"the body may have {self._max_body_bytes} bytes at most, and {came} came")

    async def _run(
        self,
        scope: MutableMapping[str, Any],
        body: bytes,
        receive: Receive,
        answer: _Answer,
        request: context.RequestContext,
    ) -> None:
        left = asyncio.get_running_loop().create_future()
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await left  # type: ignore[no-any-return]
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def watch() -> None:
            message = await receive()
            while message["type"] != "http.disconnect":
                message = await receive()
            if not left.done():
                left.set_result(message)

        work = asyncio.ensure_future(self._app(scope, replay, answer.send))
        watcher = asyncio.ensure_future(watch())
        try:
            await asyncio.wait({work, watcher}, timeout=request.remaining(), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            elif watcher.done() and not answer.complete:
                answer.code = CLIENT_LEFT
            elif not answer.complete:
                raise DeadlineExceeded("the request was not answered within its time limit")
        finally:
            for task in (work, watcher):
                if not task.done():
                    task.cancel()
            await asyncio.gather(work, watcher, return_exceptions=True)
            if left.done() is False:
                left.cancel()

    def _record(self, scope: MutableMapping[str, Any], request: context.RequestContext, code: int, took: float) -> None:
        route = scope.get("route")
        name = getattr(route, "path", None) or request.route
        telemetry.REQUESTS.labels(name, str(code)).inc()
        telemetry.REQUEST_SECONDS.labels(name).observe(took)
        if scope["path"] not in _QUIET:
            log.info(
                "%s %s %d %.1fms images=%d lines=%d",
                scope["method"],
                scope["path"],
                code,
                took * 1000,
                request.images,
                request.lines,
            )


class _Answer:
    """Sends the answer, and knows how far it got."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._headers = headers
        self.code = 500
        self.begun = False
        self.complete = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun, self.code = True, message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers]
        elif message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)
        await self._send(message)

    async def error(self, error: PpocrError) -> None:
        if self.begun:
            return
        status, content, headers = http_answer(error)
        body = orjson.dumps(content)
        raw = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        raw += [(key.encode(), value.encode()) for key, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})
