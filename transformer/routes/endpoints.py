"""Routes other than wire formats: the API reference, the capabilities, and NVIDIA's health routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import Request

from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.management import DECLARATION as MANAGEMENT
from ppocr.serving.routing import Endpoints
from ppocr_api.errors import Unavailable
from transformer.reader import Reader
from transformer.routes import capabilities
from transformer.routes.adapter import Adapter
from transformer.routes.nim import Nim
from transformer.routes.page import DOCS, reference_page

_LIVE, _READY = "/v1/health/live", "/v1/health/ready"

HEALTH = Declaration(
    "health",
    "Health in the form of NVIDIA's NIM. Kubernetes probes use `/healthz` and `/v2/health/ready`.",
    (
        Path(
            _LIVE,
            "liveness in the form of NVIDIA's NIM",
            answers=(Body("application/json", example={"live": True}),),
        ),
        Path(
            _READY,
            "readiness in the form of NVIDIA's NIM; 503 if not ready",
            answers=(Body("application/json", example={"ready": True}),),
        ),
    ),
)
#: Of all routes that `endpoints` makes.
DECLARATIONS: Final = (DOCS, capabilities.DECLARATION, HEALTH)


def endpoints(settings: capabilities.Settings, reader: Reader, formats: Sequence[Adapter]) -> tuple[Endpoints, ...]:
    """All of them, for the transformer and for the service in one process, which answer `formats`."""
    declared = [each.declaration for each in formats]
    groups = [capabilities.capabilities(settings, reader, declared)]
    if any(each.name == Nim().declaration.name for each in declared):
        groups.append(Endpoints(HEALTH, {_LIVE: _live, _READY: _ready}))
    told = [*declared, *(each.declaration for each in groups), MANAGEMENT]
    return (reference_page(told, settings.model_name), *groups)


async def _live() -> dict[str, bool]:
    return {"live": True}


async def _ready(request: Request) -> dict[str, bool]:
    if not await request.app.state.data_plane.ready():
        raise Unavailable("not ready: loading, draining, or without a predictor")
    return {"ready": True}
