"""The interface of a wire format, which connects HTTP and gRPC with the reader.

An adapter parses a request (`parse`), renders pages (`render`) and errors (`render_error`), and declares its paths
(`declaration`). It does nothing else: admission, limits, deadlines and metrics are handled around it, and reading happens
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
    """A parsed request.

    With `partial`, `render` gets an error in place of each image that could not be read; without it, the first error ends the
    request. `reads` selects a part of the work. `view` is called with each page before its pixels and the network's facts are
    released. `kept` is data that `parse` keeps for `render`.
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
        """Parses the request. Raises RequestError."""

    @abstractmethod
    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        """The answer: `pages[i]` is what was read in `asked.files[i]`; errors are among them only with `asked.partial`."""

    async def answer(self, request: WireRequest, infer: Infer) -> WireAnswer:
        """Called by the server: the model parses, reads and renders."""
        return cast(WireAnswer, await infer(Exchange(self, request)))


@dataclass(frozen=True, slots=True)
class Exchange:
    """The payload of the KServe model: a request and its adapter."""

    adapter: Adapter
    request: WireRequest


def read_pages(pages: Sequence[Page | PpocrError]) -> list[Page]:
    """The pages of a request without `partial`."""
    return [page for page in pages if isinstance(page, Page)]
