"""The public side of a service: routes, pages, ports and reports around a reader, wherever the networks run."""

from __future__ import annotations

from dataclasses import dataclass

from ppocr.serving.options import grpc_options, lifecycle, rest_options
from ppocr.serving.server import OcrServer
from ppocr_limits.budget import Budget
from transformer.http.around import around
from transformer.pre_post import OcrTransformer
from transformer.reader import Reader
from transformer.reports.pdserving import register
from transformer.reports.tracer import Tracer
from transformer.routes.endpoints import endpoints
from transformer.routes.page import page
from transformer.routes.served import served
from transformer.settings import FrontSettings
from transformer.triton.routes import triton
from transformer.urls.fetching import Fetcher


@dataclass(frozen=True)
class Front:
    """`server` serves `model`. `tracer` is started with it, and closed before the reader."""

    model: OcrTransformer
    server: OcrServer
    tracer: Tracer


def front(settings: FrontSettings, reader: Reader, budget: Budget) -> Front:
    """Serves `reader` on the routes and ports in `settings`; `budget` limits the memory of requests. Raises ConfigError."""
    client_of = settings.client_of()
    urls = Fetcher(settings, settings.max_image_bytes, budget)
    model = OcrTransformer(settings.model_name, reader, settings.max_instances, urls)
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
    return Front(model, server, tracer)
