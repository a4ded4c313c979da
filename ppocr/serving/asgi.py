"""The one middleware around all HTTP routes: body limit, deadline, cancellation, metrics, access log, errors."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from ppocr import telemetry
from ppocr.call import Call
from ppocr.serving.routing import RouteTable, Scope, error_answer
from ppocr.serving.status import as_ppocr
from ppocr.serving.wire import WireAnswer
from ppocr_api.errors import DeadlineExceeded, PayloadTooLarge, RequestError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("ppocr.access")

#: A client's own bound, in milliseconds; Envoy sends the second one by itself.
TIMEOUT_HEADERS = (b"x-request-timeout-ms", b"x-envoy-expected-rq-timeout-ms")
CLIENT_LEFT = 499
#: The answer's header (trailing metadata, over gRPC) that names the deployment it came from.
TRACK_HEADER = "x-ppocr-track"
#: Where the scope holds the request's `Call`.
CALL = "ppocr.call"
_QUIET = ("/metrics", "/healthz", "/v2/health/live", "/v2/health/ready")


class RequestGuard:
    """Reads the body up to its limit, then runs the application until it has answered, the client has left, or time is up.

    The application finds the request's `Call` in its scope. Where the guard itself answers, an error has the form of the
    requested route.
    """

    def __init__(
        self, app: App, *, routes: RouteTable, max_body_bytes: int, timeout_seconds: float, track: str = ""
    ) -> None:
        self._app = app
        self._routes = routes
        self._max_body_bytes = max_body_bytes
        self._timeout_seconds = timeout_seconds
        self._headers = [(TRACK_HEADER.encode(), track.encode())] if track else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        found = self._routes.find(scope)
        call = scope[CALL] = Call(route=found[0].path.path if found else "unknown")
        answer = _Answer(send, self._headers)
        telemetry.IN_FLIGHT.inc()
        try:
            await self._answer(scope, receive, answer, call, started)
        except Exception as error:
            # Starlette answers and raises again: only what it left unanswered, or answered in part, is ours to say.
            if not (answer.begun and answer.code == HTTPStatus.INTERNAL_SERVER_ERROR):
                known = call.error = as_ppocr(error)
                if not answer.begun:
                    await answer.whole(error_answer(found, scope, call, known))
        finally:
            telemetry.IN_FLIGHT.dec()
            if call.error is not None and answer.code != CLIENT_LEFT:
                answer.code = int(call.error.http)
            self._record(scope, call, answer.code, time.monotonic() - started)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer, call: Call, started: float) -> None:
        headers = dict(scope["headers"])
        call.deadline = started + self._seconds(headers)
        try:
            async with asyncio.timeout(call.remaining()):
                body = await self._body(headers, receive)
        except TimeoutError:
            raise DeadlineExceeded("the body did not arrive within the request's time limit") from None
        if body is None:
            answer.code = CLIENT_LEFT
        else:
            await self._run(scope, body, receive, answer, call)

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
                raise self._too_large("more bytes than it may have")
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_large(self, size: str) -> PayloadTooLarge:
        return PayloadTooLarge(f"the body has {size}; at most {self._max_body_bytes} bytes are allowed")

    async def _run(self, scope: Scope, body: bytes, receive: Receive, answer: _Answer, call: Call) -> None:
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
            await asyncio.wait({work, watcher}, timeout=call.remaining(), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            elif watcher.done() and not answer.complete:
                answer.code = CLIENT_LEFT
            elif not answer.complete:
                raise DeadlineExceeded("the request was not answered within its time limit")
        finally:
            call.cancelled = call.cancelled or not work.done()
            for task in (work, watcher):
                if not task.done():
                    task.cancel()
            await asyncio.gather(work, watcher, return_exceptions=True)
            if left.done() is False:
                left.cancel()

    def _record(self, scope: Scope, call: Call, code: int, took: float) -> None:
        telemetry.REQUESTS.labels(call.route, str(code)).inc()
        telemetry.REQUEST_SECONDS.labels(call.route).observe(took)
        if scope["path"] not in _QUIET:
            log.info(
                "%s %s %d %.1fms images=%d lines=%d",
                scope["method"],
                scope["path"],
                code,
                took * 1000,
                call.images,
                call.lines,
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

    async def whole(self, answer: WireAnswer) -> None:
        """Sends all of an answer."""
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": answer.body})
