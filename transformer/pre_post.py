"""The KServe transformer: parse a request (preprocess), read its images (predict), render the answer (postprocess)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from kserve import Model

from ppocr.serving.wire import WireAnswer
from ppocr_api.document import Page
from ppocr_api.errors import InvalidRequest, PpocrError
from transformer.reader import Reader, Wanted
from transformer.routes import v2
from transformer.routes.adapter import Exchange, ReadRequest
from transformer.statistics import Statistics
from transformer.urls.fetching import Fetcher

#: An answer with at most this many lines and words is rendered within milliseconds.
FEW_TEXTS = 2_000


@dataclass(frozen=True)
class Asked:
    """A request and its parsed content."""

    exchange: Exchange
    read: ReadRequest


@dataclass(frozen=True)
class Done:
    """The result: a page for each file, or its error if the adapter wants an error per image."""

    asked: Asked
    pages: Sequence[Page | PpocrError]


class OcrTransformer(Model):  # type: ignore[misc]
    """The OCR service as a KServe model."""

    def __init__(self, name: str, reader: Reader, max_instances: int, urls: Fetcher) -> None:
        super().__init__(name)
        self.reader = reader
        self._urls = urls
        self._max_instances = max_instances
        self.statistics = Statistics()
        self.ready = True

    async def __call__(self, body: Any, *args: Any, **kwargs: Any) -> Any:
        with self.statistics.request():
            return await super().__call__(body, *args, **kwargs)

    async def healthy(self) -> bool:
        """True when a prediction would be accepted now."""
        return await self.reader.ready()

    async def check_version(self, version: str) -> None:
        """Raises NotFound if the predictor has no such version in memory."""
        await self.reader.facts(version)

    async def versions(self) -> list[str]:
        """The version that serves; none if no predictor says one."""
        try:
            return [(await self.reader.facts()).version]
        except PpocrError:
            return []

    async def preprocess(self, payload: Exchange, headers: dict[str, str] | None = None) -> Asked:
        read = await payload.request.parsed(payload.adapter.parse)
        if not 1 <= len(read.files) <= self._max_instances:
            raise InvalidRequest(f"the request has {len(read.files)} images, and must have 1 to {self._max_instances}")
        return Asked(payload, read)

    async def predict(
        self, payload: Asked, headers: dict[str, str] | None = None, response_headers: Any = None
    ) -> Done:
        read, call = payload.read, payload.exchange.request.call
        wanted = Wanted(read.parameters, read.reads, read.view)
        async with self._urls.fetched(read.files, call):
            pages = await self.reader.read_many(read.files, wanted, call, partial=read.partial)
        return Done(payload, pages)

    async def postprocess(
        self, result: Done, headers: dict[str, str] | None = None, response_headers: Any = None
    ) -> WireAnswer:
        exchange = result.asked.exchange
        render = partial(exchange.adapter.render, exchange.request, result.asked.read, result.pages)
        # Rendering a few hundred thousand words as JSON takes a second, during which no other request would be answered.
        return render() if _texts(result.pages) <= FEW_TEXTS else await asyncio.to_thread(render)

    def get_input_types(self) -> list[dict[str, Any]]:
        return v2.INPUTS

    def get_output_types(self) -> list[dict[str, Any]]:
        return v2.OUTPUTS


def _texts(pages: Sequence[Page | PpocrError]) -> int:
    """Lines and words."""
    return sum(1 + len(line.words or ()) for page in pages if isinstance(page, Page) for line in page.lines)
