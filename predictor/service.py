"""The predictor as a process: `python -m predictor`."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence

import ppocr_tracing
from ppocr import telemetry
from ppocr.serving.light_import import import_kserve
from ppocr.serving.options import grpc_options, lifecycle, rest_options
from ppocr_api.errors import BundleError, ConfigError
from ppocr_limits.budget import Budget
from ppocr_limits.memory import BESIDE_NETWORKS, for_requests
from ppocr_settings import settings as settings_of
from predictor.settings import PredictorSettings

log = logging.getLogger("ppocr.predictor")


async def serve(settings: PredictorSettings) -> None:
    """Loads the networks while KServe is imported, then serves until a signal comes."""
    from predictor import opening

    loading = asyncio.create_task(asyncio.to_thread(opening.load, settings))
    await asyncio.sleep(0)
    import_kserve()
    from ppocr.serving.server import OcrServer
    from ppocr.serving.tensor_format import TensorFormat
    from predictor.models import NetworkModels
    from predictor.repository.api import RepositoryApi

    opened = await opening.start(await loading, settings)
    predictor = opened.predictor
    formats = (TensorFormat(),)
    endpoints = (RepositoryApi(opened.repository).endpoints,) if settings.repository_api else ()
    budget = Budget(for_requests(settings.request_memory_bytes, BESIDE_NETWORKS), bodies=1.0)
    server = OcrServer(
        rest_options(settings, budget, formats, endpoints),
        grpc_options(settings, budget, formats, endpoints, settings.max_message_bytes),
        lifecycle(settings),
    )

    async def ready() -> None:
        log.info("predictor ready on HTTP port %d, gRPC port %d", settings.http_port, settings.grpc_port)

    async def close() -> None:
        await opened.close_repository()
        await predictor.close(drain_seconds=0.0)  # the server has drained

    NetworkModels(server.registered_models, opened.versions, predictor)
    await server.serve([], on_ready=ready, close=close, alive=predictor.alive)


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the settings, and serves."""
    settings = settings_of.load(
        PredictorSettings,
        argv,
        prog="python -m predictor",
        description="Runs the networks of a bundle for transformers, each as a V2 model of the same name.",
        kserve_flags=True,
    )
    telemetry.configure_logging(settings.log_level, settings.log_format)
    ppocr_tracing.start("ppocr-predictor", {"ppocr.track": settings.track})
    try:
        asyncio.run(serve(settings))
    except (ConfigError, BundleError) as error:
        sys.exit(f"python -m predictor: {error}")
