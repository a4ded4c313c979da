"""The server process: KServe's model server with a start and shutdown that lose no accepted request.

On SIGTERM (or SIGINT) the service
1. says not ready at once, and continues answering for `lame_duck_seconds`, while load balancers learn of it;
2. stops accepting, and answers what it has, up to `drain_seconds`, over HTTP and gRPC at the same time;
3. closes the models (the predictor's networks, the transformer's connections), and ends with exit code 0.
A second signal ends it at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from kserve import Model, ModelServer

import ppocr_tracing
from ppocr.serving.dataplane import TrueDataPlane
from ppocr.serving.grpc_options import GrpcOptions
from ppocr.serving.grpc_server import GrpcServer
from ppocr.serving.rest import RestOptions, RestServer

log = logging.getLogger("ppocr.server")


@dataclass(frozen=True)
class Lifecycle:
    """How long the two phases of a stop may last."""

    lame_duck_seconds: float
    drain_seconds: float


class OcrServer(ModelServer):  # type: ignore[misc]
    """Serves kserve models over HTTP and gRPC until it is stopped."""

    def __init__(self, rest: RestOptions, grpc: GrpcOptions, lifecycle: Lifecycle) -> None:
        super().__init__(http_port=rest.port, workers=1, enable_latency_logging=False)
        self._lifecycle = lifecycle
        self._draining = False
        self.dataplane = TrueDataPlane(self.registered_models, lambda: self._draining)
        declared = [*(each.declaration for each in rest.formats), *(each.declaration for each in rest.endpoints)]
        self.dataplane.extensions = tuple(dict.fromkeys(name for each in declared for name in each.extensions))
        self._rest = RestServer(rest, self.dataplane, self.model_repository_extension)
        self._grpc = GrpcServer(grpc, self.dataplane, self.model_repository_extension)

    async def serve(
        self,
        models: Sequence[Model],
        *,
        on_ready: Callable[[], Awaitable[None]] | None = None,
        close: Callable[[], Awaitable[None]],
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        """Serves `models` until a signal comes; `close` runs last, when nothing is in progress any more.

        `alive` says whether the process can still compute: if it is false, liveness fails, and Kubernetes restarts it.
        """
        self.dataplane.alive = alive
        for model in models:
            self.register_model(model)
            model.enable_latency_logging = False
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            try:
                loop.add_signal_handler(name, self._on_signal, stop)
            except NotImplementedError:  # Windows: its loop has none
                signal.signal(name, lambda *_: loop.call_soon_threadsafe(self._on_signal, stop))
        try:
            self._rest.bind()
            await self._grpc.start()
            self._rest.create_application()
            http = asyncio.create_task(self._rest.run())
            await self._until(lambda: self._rest.started or http.done())
            if http.done():
                http.result()
            if on_ready is not None:
                await on_ready()
            await asyncio.wait({http, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
            await self._drain(http)
        finally:
            await close()
            await asyncio.to_thread(ppocr_tracing.stop)

    def _on_signal(self, stop: asyncio.Event) -> None:
        if self._draining:
            log.warning("second signal: ending at once")
            os._exit(1)
        self._draining = True
        stop.set()

    async def _drain(self, http: asyncio.Task[None]) -> None:
        self._draining = True
        log.info("stopping: not ready any more, answering what was accepted")
        if not http.done():
            await asyncio.sleep(self._lifecycle.lame_duck_seconds)
        self._rest.stop()
        await asyncio.gather(self._grpc.stop(self._lifecycle.drain_seconds), http)
        log.info("stopped")

    @staticmethod
    async def _until(condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0.01)
