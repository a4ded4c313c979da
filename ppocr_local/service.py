"""Transformer and predictor in one process, with direct calls between them: `ppocr serve`, `ppocr read`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ppocr_tracing
from ppocr import telemetry
from ppocr.listen import joined
from ppocr.serving.light_import import import_kserve
from ppocr_api.errors import BundleError, ConfigError
from ppocr_limits.budget import Budget
from ppocr_limits.memory import BESIDE_NETWORKS, for_requests
from ppocr_settings import settings as settings_of
from ppocr_settings.settings import setting
from predictor.settings import NetworkSettings
from transformer.settings import FrontSettings, ReaderSettings

if TYPE_CHECKING:
    from transformer.reader import Reader


#: An image in a checkout, for the example command that is printed at the start.
SAMPLE = "docs/invoice.jpg"


@dataclass(frozen=True)
class LocalSettings(ReaderSettings, NetworkSettings):
    """Reading in this process."""


@dataclass(frozen=True)
class ServeSettings(FrontSettings, LocalSettings):
    """The service in one process. By default it listens only on this machine."""

    host: str = setting("Address to listen on; :: for all IPv6 and IPv4 addresses.", "127.0.0.1")
    model_name: str = setting("Name of the model on the routes.", "ppocr")
    pdserving: str = setting(
        "Configuration file of a PaddleServing pipeline (config.yml) to take settings from. They are printed, together with the "
        "keys that have no effect here. Flags and variables override it.",
        "",
    )


@asynccontextmanager
async def reader(settings: LocalSettings) -> AsyncIterator[Reader]:
    """A reader with networks in this process; closed at the end of the block."""
    from predictor.opening import open_predictor
    from transformer.reader import Reader

    reader = Reader(await open_predictor(settings), settings)
    try:
        yield reader
    finally:
        await reader.close()


async def serve(settings: ServeSettings) -> None:
    """Loads the networks while KServe is imported, then serves until a signal comes."""
    from predictor import opening

    loading = asyncio.create_task(asyncio.to_thread(opening.load, settings))
    await asyncio.sleep(0)
    import_kserve()
    from transformer.front import front
    from transformer.reader import Reader

    opened = await opening.start(await loading, settings)
    budget = Budget(for_requests(settings.request_memory_bytes, BESIDE_NETWORKS))
    reader = Reader(opened.predictor, settings, budget.for_images)
    shown = front(settings, reader, budget)

    async def ready() -> None:
        shown.tracer.start()
        print(_welcome(settings), flush=True)

    async def close() -> None:
        await shown.tracer.close()
        await opened.close_repository()
        await reader.close()

    await shown.server.serve([shown.model], on_ready=ready, close=close, alive=opened.predictor.alive)


def _welcome(settings: ServeSettings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    url = f"{'https' if settings.tls_cert_file else 'http'}://{joined(host, settings.http_port)}"
    image = SAMPLE if Path(SAMPLE).is_file() else "IMAGE.jpg"
    return (
        f"ppocr is ready: HTTP {url}, gRPC {joined(host, settings.grpc_port)}\n"
        f"  a page to try it:  {url}/\n"
        f"  an image to text:  curl --data-binary @{image} "
        f"{url}/v1/models/{settings.model_name}:predict"
    )


def _settings(argv: Sequence[str] | None) -> ServeSettings:
    return settings_of.load(
        ServeSettings,
        argv,
        prog="ppocr serve",
        description="Serves text recognition over HTTP and gRPC, in one process.",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Reads the settings, and serves."""
    settings = _settings(argv)
    if settings.pdserving:
        from ppocr_local.pdserving_config import flags_of

        try:
            configured = flags_of(Path(settings.pdserving), os.environ)
        except ConfigError as error:
            print(f"ppocr serve: {error}", file=sys.stderr)
            return 1
        settings = _settings([*configured, *(sys.argv[1:] if argv is None else argv)])
    telemetry.configure_logging(settings.log_level, settings.log_format)
    ppocr_tracing.start("ppocr", {"ppocr.track": settings.track})
    try:
        asyncio.run(serve(settings))
    except (ConfigError, BundleError) as error:
        print(f"ppocr serve: {error}", file=sys.stderr)
        return 1
    return 0
