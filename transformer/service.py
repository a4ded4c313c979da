"""The transformer as a process: `python -m transformer --predictor_host …`."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence

import ppocr_tracing
from ppocr import telemetry
from ppocr.serving.light_import import import_kserve
from ppocr.serving.options import grpc_options, lifecycle, rest_options
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
    from ppocr.serving.server import OcrServer
    from transformer.http.around import around
    from transformer.pre_post import OcrTransformer
    from transformer.predictor_channel import PredictorTls, target
    from transformer.predictor_client import PredictorClient
    from transformer.reader import Reader
    from transformer.reports.pdserving import register
    from transformer.reports.tracer import Tracer
    from transformer.routes.endpoints import endpoints
    from transformer.routes.page import page
    from transformer.routes.served import served
    from transformer.triton.routes import triton

    keep_level()
    address = target(settings.predictor_host, settings.predictor_port)
    tls = PredictorTls(settings.predictor_ca_file, settings.predictor_cert_file, settings.predictor_key_file)
    budget = Budget(for_requests(settings.request_memory_bytes))
    client = PredictorClient(address, settings.max_message_bytes, tls)
    reader, client_of = Reader(client, settings, budget.for_images), settings.client_of()
    model = OcrTransformer(settings.model_name, reader, settings.max_instances)
    routes = served(settings)
    own_page = page(settings.model_name, settings.root_path)
    further = (own_page, triton(model), *endpoints(settings, reader, routes.formats))
    tracer = Tracer(settings.tracer, settings.tracer_seconds, routes.routes)
    if settings.pdserving_metrics:
        register(routes.routes)
    server = OcrServer(
        rest_options(
            settings, budget, routes.formats, further, client_of, lambda app: around(app, settings), routes.ports
        ),
        grpc_options(settings, budget, routes.formats, further, client_of=client_of, ports=routes.grpc_ports),
        lifecycle(settings),
    )

    async def ready() -> None:
        tracer.start()
        log.info("transformer on HTTP port %d, gRPC port %d", settings.http_port, settings.grpc_port)

    async def close() -> None:
        await tracer.close()
        await reader.close()

    await server.serve([model], on_ready=ready, close=close)


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
