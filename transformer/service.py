"""The transformer as a separate process: `python -m transformer --predictor_host …`."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence

import ppocr_tracing
from ppocr import telemetry
from ppocr.serving.light_import import import_kserve
from ppocr_api.errors import ConfigError
from ppocr_limits.budget import Budget
from ppocr_limits.memory import for_requests, keep_level
from ppocr_settings import settings as settings_of
from transformer.settings import TransformerSettings

log = logging.getLogger("ppocr.transformer")


async def serve(settings: TransformerSettings) -> None:
    """Serves until a signal comes."""
    # Imported here: KServe's packages take seconds to import, and `--help` needs none of them.
    import_kserve()
    from transformer.front import front
    from transformer.predictor_channel import PredictorTls, target
    from transformer.predictor_client import PredictorClient
    from transformer.reader import Reader

    keep_level()
    address = target(settings.predictor_host, settings.predictor_port)
    tls = PredictorTls(settings.predictor_ca_file, settings.predictor_cert_file, settings.predictor_key_file)
    budget = Budget(for_requests(settings.request_memory_bytes))
    client = PredictorClient(address, settings.max_message_bytes, tls)
    reader = Reader(client, settings, budget.for_images)
    shown = front(settings, reader, budget)

    async def ready() -> None:
        shown.tracer.start()
        log.info("transformer on HTTP port %d, gRPC port %d", settings.http_port, settings.grpc_port)

    async def close() -> None:
        await shown.tracer.close()
        await reader.close()

    await shown.server.serve([shown.model], on_ready=ready, close=close)


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the settings, and serves."""
    settings = settings_of.load(
        TransformerSettings,
        argv,
        prog="python -m transformer",
        description="Reads the text in images; the networks run in the predictor at --predictor_host.",
        kserve_flags=True,
    )
    if not settings.predictor_host:
        sys.exit("python -m transformer: --predictor_host is missing: where is the predictor? (HOST or HOST:PORT)")
    telemetry.configure_logging(settings.log_level, settings.log_format)
    ppocr_tracing.start("ppocr-transformer", {"ppocr.track": settings.track})
    try:
        asyncio.run(serve(settings))
    except ConfigError as error:
        sys.exit(f"python -m transformer: {error}")
