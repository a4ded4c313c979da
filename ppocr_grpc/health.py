"""grpc.health.v1, which Kubernetes' gRPC probes, Envoy and clients' load balancers ask: readiness, once or as it changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from grpc_health.v1 import health_pb2 as pb

from ppocr_api.errors import NotFound
from ppocr_grpc.methods import GrpcMethod

SERVICE: Final = "grpc.health.v1.Health"
#: How old readiness may be; a change is seen by everybody who watches within this time.
SECONDS: Final = 1.0

METHODS: Final = (
    GrpcMethod(
        SERVICE, "Check", "health check: whether the service is ready", pb.HealthCheckRequest, pb.HealthCheckResponse
    ),
    GrpcMethod(
        SERVICE,
        "Watch",
        "the same as a stream, with each change",
        pb.HealthCheckRequest,
        pb.HealthCheckResponse,
        stream="answers",
    ),
)


class Health:
    """Readiness of the whole, by the name "" or that of any gRPC service that is served.

    `answers` holds what answers each method.
    """

    def __init__(
        self, ready: Callable[[], Awaitable[bool]], serves: Callable[[str], bool], stopping: asyncio.Event
    ) -> None:
        self._ready = ready
        self._serves = serves
        self._stopping = stopping
        self._known = (-SECONDS, False)
        self.answers: dict[str, Callable[..., Any]] = {"Check": self._check, "Watch": self._watch}

    async def _check(self, request: Any) -> Any:
        if not self._serves(request.service):
            raise NotFound(f"no gRPC service is called {request.service[:100]!r}")
        return await self._answer()

    async def _watch(self, request: Any, _: Any) -> AsyncIterator[Any]:
        last = None
        while True:
            known = self._serves(request.service)
            answer = await self._answer() if known else pb.HealthCheckResponse(status="SERVICE_UNKNOWN")
            if answer != last:
                yield answer
                last = answer
            if self._stopping.is_set():
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SECONDS)

    async def _answer(self) -> Any:
        """Asks a predictor once for all who want to know at a time."""
        at, ready = self._known
        if time.monotonic() - at >= SECONDS or self._stopping.is_set():
            ready = await self._ready()
            self._known = (time.monotonic(), ready)
        return pb.HealthCheckResponse(status="SERVING" if ready else "NOT_SERVING")
