"""The one middleware around all HTTP routes: body limit, deadline, cancellation, metrics, access log, errors."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import ppocr_tracing
from ppocr import telemetry
from ppocr.call import Call
from ppocr.serving.access import OPEN, Access, noted
from ppocr.serving.routing import Route, RouteTable, Scope, error_answer
from ppocr.serving.status import as_ppocr
from ppocr.serving.traced import note_http
from ppocr.serving.wire import WireAnswer
from ppocr_api.errors import DeadlineExceeded, RequestError, Unavailable
from ppocr_limits.bodies import Message, Receive, has_body, read_body
from ppocr_limits.budget import Budget, Claim
from ppocr_limits.tls import CERTIFIED

Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("ppocr.access")

#: Headers with a client's time limit in milliseconds; Envoy sends the second one.
TIMEOUT_HEADERS = (b"x-request-timeout-ms", b"x-envoy-expected-rq-timeout-ms")
CLIENT_LEFT = 499
#: The answer's header (trailing metadata, over gRPC) that names the deployment it came from.
TRACK_HEADER = "x-ppocr-track"
#: Keys of the ASGI scope for the request's `Call` and its body.
CALL, BODY = "ppocr.call", "ppocr.body"
#: Maximum size of a body that no wire format reads: requests to load a version, and unexpected bodies.
MAX_SMALL_BODY_BYTES = 1024 * 1024
#: Characters of a path that are logged; only attackers send longer ones.
LOGGED = 300
#: Probes and metrics: they are frequent, aren't logged, and need neither a key nor a certificate.
_QUIET = ("/metrics", "/healthz", "/v2/health/live", "/v2/health/ready")


class RequestGuard:
    """Reads the body up to its limit, then runs the application until it has answered, the client disconnects, or the time limit
    is reached.

    The application finds the request's `Call` in its scope. Errors of the guard itself have the form of the requested route.
    """

    def __init__(
        self,
        app: App,
        *,
        routes: RouteTable,
        budget: Budget,
        max_body_bytes: int,
        timeout_seconds: float,
        track: str = "",
        access: Access = OPEN,
        absent: Mapping[str, str] | None = None,
    ) -> None:
        self._app = app
        self._budget = budget
        self._routes = routes
        self._max_body_bytes = max_body_bytes
        self._timeout_seconds = timeout_seconds
        self._access = access
        self._absent = absent or {}
        self._headers = [(TRACK_HEADER.encode(), track.encode())] if track else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] in _QUIET:
            await self._guarded(scope, receive, send)
        else:
            with ppocr_tracing.server(scope["method"], scope["headers"]):
                await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}  # the server sends no body to a HEAD
        found = self._routes.find(scope)
        claim = Claim(self._budget)
        call = scope[CALL] = Call(route=found[0].path.path if found else "unknown")
        headers = dict(scope["headers"])
        answer = _Answer(send, self._headers, body_is_read=not has_body(headers))
        telemetry.IN_FLIGHT.inc()
        try:
            deadline = self._authorize(scope, headers, call, started)
            if found is None or scope["method"] not in found[0].path.methods:
                await answer.whole(self._unserved(found, scope, call))
                return
            limit = self._limit(found[0])
            body = await read_body(headers, receive, claim, limit, lambda: deadline - time.monotonic())
            answer.body_is_read = True
            if body is None:
                answer.code = CLIENT_LEFT
            else:
                scope[BODY] = body
                await self._run(scope, body, receive, answer, call)
        except asyncio.CancelledError:
            # The server's grace period is over: it cancels open requests, and would report that as its own error.
            if not answer.begun:
                await answer.whole(error_answer(found, scope, call, Unavailable("the service is stopping")))
        except Exception as error:
            # Starlette answers and raises again. Only answer here if it hasn't, or not completely.
            if not (answer.begun and answer.code == HTTPStatus.INTERNAL_SERVER_ERROR):
                known = call.error = as_ppocr(error, call)
                if not answer.begun:
                    await answer.whole(error_answer(found, scope, call, known, self._routes.outside))
        finally:
            claim.release()
            scope.pop(BODY, None)  # the connection keeps the scope until its next request
            telemetry.IN_FLIGHT.dec()
            self._record(scope, call, answer.code, time.monotonic() - started)

    def _unserved(self, found: tuple[Route, dict[str, str]] | None, scope: Scope, call: Call) -> WireAnswer:
        return self._routes.unserved(found, self._routes.not_served(found, scope, call, self._absent), scope["path"])

    def _authorize(self, scope: Scope, headers: dict[bytes, bytes], call: Call, started: float) -> float:
        """Checks key and certificate, and returns the deadline."""
        if scope["path"] not in _QUIET:
            key = headers.get(b"authorization", b"").decode("latin-1")
            self._access.check(call, key, scope.get(CERTIFIED, False))
        seconds = self._seconds(headers)
        call.hurried = seconds < self._timeout_seconds
        call.deadline = deadline = started + seconds
        return deadline

    def _limit(self, route: Route) -> int:
        """The body limit in bytes: small if no wire format reads the body."""
        return self._max_body_bytes if route.formats else min(self._max_body_bytes, MAX_SMALL_BODY_BYTES)

    def _seconds(self, headers: dict[bytes, bytes]) -> float:
        seconds = self._timeout_seconds
        for name in TIMEOUT_HEADERS:
            if name in headers:
                try:
                    asked = float(headers[name]) / 1000
                except ValueError:
                    raise RequestError(f"the header {name.decode()} must be a number of milliseconds") from None
                if not 0 < asked < math.inf:
                    raise RequestError(f"the header {name.decode()} must be above 0, and finite")
                seconds = min(seconds, asked)
        return seconds

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
        if call.error is not None and code != CLIENT_LEFT:
            code = int(call.error.http)
        telemetry.REQUESTS.labels(call.route, str(code)).inc()
        telemetry.REQUEST_SECONDS.labels(call.route).observe(took, ppocr_tracing.exemplar())
        if scope["path"] not in _QUIET:
            note_http(call, scope["method"], code)
            log.info(
                "%s %s %d %.1fms images=%d lines=%d%s",
                scope["method"],
                scope["path"][:LOGGED],
                code,
                took * 1000,
                call.images,
                call.lines,
                noted(call, str(code)),
            )


class _Answer:
    """Sends the answer, and tracks how much of it was sent."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]], body_is_read: bool) -> None:
        self._send = send
        self._headers = headers
        self.code = 500
        self.begun = False
        self.complete = False
        self.body_is_read = body_is_read

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun, self.code = True, message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers]
        elif message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)
        await self._send(message)

    async def whole(self, answer: WireAnswer) -> None:
        """Sends a complete answer."""
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        if not self.body_is_read:
            headers["connection"] = "close"  # otherwise the rest of this body would be parsed as the next request
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": answer.body})
