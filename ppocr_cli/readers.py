"""Two ways to read an image: in this process, or by a running service. Both return `Page`s."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from ppocr_api.document import Page
from ppocr_cli.extras import extra
from ppocr_client.images import ReadParameters
from ppocr_settings.settings import add_flags, from_namespace
from predictor.settings import NetworkSettings
from transformer.parameters import Parameters
from transformer.settings import ReaderSettings

Read = Callable[[bytes], Awaitable[Page]]


@dataclass(frozen=True)
class _Local(ReaderSettings, NetworkSettings):
    """Settings for reading in this process."""


@asynccontextmanager
async def by_service(url: str, timeout: float, parameters: ReadParameters) -> AsyncIterator[Read]:
    """Asks the service at `url`; `timeout` in seconds per image."""
    from ppocr_client import AsyncClient

    async with AsyncClient(url, timeout=timeout) as client:

        async def read(data: bytes) -> Page:
            return await client.read(data, **parameters)

        yield read


@asynccontextmanager
async def in_process(namespace: argparse.Namespace, parameters: ReadParameters) -> AsyncIterator[Read]:
    """Loads the networks here; `namespace` holds the flags of `local_flags`."""
    checked = Parameters.parse(parameters)
    async with AsyncExitStack() as stack:
        with extra("serve", "reading in this process"):
            from ppocr_local.service import LocalSettings, reader

            local = await stack.enter_async_context(reader(from_namespace(LocalSettings, namespace)))

        async def read(data: bytes) -> Page:
            return await local.read(data, checked)

        yield read


def local_flags(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """Adds the flags that `ppocr serve` has for images and networks. What reads once doesn't warm up for it."""
    environ = {"PPOCR_WARM_UP_SECONDS": "0", **environ}
    add_flags(parser, _Local, environ)


def parameters_of(settings: Any) -> ReadParameters:
    """The fields of `settings` that are parameters of a request and were given."""
    names = ReadParameters.__annotations__
    given = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings) if field.name in names}
    return cast(ReadParameters, {name: value for name, value in given.items() if value not in (None, False)})
