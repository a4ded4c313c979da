"""What a file of this folder holds: one wire format between the service's HTTP and gRPC and its reader.

An adapter says what a request asks (`parse`), how pages go out (`render`), how an error goes out (`render_error`), and where it
is served (`declaration`). It does nothing else: admission, limits, deadlines and metrics are around it, and reading is
between its functions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from ppocr.serving.wire import Infer, WireAnswer, WireFormat, WireRequest
from ppocr_api.document import Page
from ppocr_api.errors import PpocrError
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.pipeline.page import View
from transformer.pipeline.plan import Reads


@dataclass(frozen=True)
class ReadRequest:
    """What a request asks. With `partial`, `render` is given an error in the place of an image that could not be read;
    without, the first error ends all. `reads` says what part of the work is wanted. `view` sees each page before its pixels and
    the network's facts are gone. `kept` is what the adapter's `render` needs of what `parse` saw.
    """

    files: Sequence[ImageFile]
    parameters: Parameters
    partial: bool = False
    reads: Reads = "page"
    view: View | None = None
    kept: Any = None


class Adapter(WireFormat):
    """One wire format for reading images."""

    @abstractmethod
    def parse(self, request: WireRequest) -> ReadRequest:
        """What is to be read. Raises RequestError."""

    @abstractmethod
    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        """The answer: `pages[i]` is what was read in `asked.files[i]`; errors are among them only with `asked.partial`."""

    async def answer(self, request: WireRequest, infer: Infer) -> WireAnswer:
        """The model calls `parse`, reads, and calls `render`."""
        return cast(WireAnswer, await infer(Exchange(self, request)))


@dataclass(frozen=True, slots=True)
class Exchange:
    """The payload of the KServe model: a request and its adapter."""

    adapter: Adapter
    request: WireRequest


def read_pages(pages: Sequence[Page | PpocrError]) -> list[Page]:
    """The pages of a request that wasn't partial."""
    return [page for page in pages if isinstance(page, Page)]
