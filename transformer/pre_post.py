"""The KServe transformer: what a request asks (preprocess), the reading (predict), the answer in its form (postprocess)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kserve import Model

from ppocr.call import Call
from ppocr.serving import context
from ppocr.serving.tensors import TensorRequest, TensorResponse
from ppocr_api.document import Page
from ppocr_api.errors import InvalidRequest
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.reader import Reader
from transformer.routes import v1, v2


@dataclass(frozen=True)
class ReadRequest:
    """The images of a request and what it asks; `tensors` is the request itself where it was a V2 one."""

    files: list[ImageFile]
    parameters: Parameters
    tensors: TensorRequest | None = None


class OcrTransformer(Model):  # type: ignore[misc]
    """Text in images, as a KServe model. The networks run wherever the reader's predictor says."""

    def __init__(self, name: str, reader: Reader, max_instances: int) -> None:
        super().__init__(name)
        self.reader = reader
        self._max_instances = max_instances
        self.ready = True

    async def healthy(self) -> bool:
        """True when a prediction would be accepted now."""
        return await self.reader.ready()

    async def check_version(self, version: str) -> None:
        """Raises NotFound where the predictor has no such version in memory."""
        await self.reader.facts(version)

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> ReadRequest:
        if isinstance(payload, TensorRequest):
            request = ReadRequest(*v2.parse(payload), tensors=payload)
        elif isinstance(payload, bytes):
            here = context.current()
            request = ReadRequest(*v1.parse_body(payload, here.content_type, here.query))
        else:
            request = ReadRequest(*v1.parse(payload))
        if not 1 <= len(request.files) <= self._max_instances:
            raise InvalidRequest(
                f"{len(request.files)} images came, and a request may carry 1 to {self._max_instances}"
            )
        return request

    async def predict(
        self, payload: ReadRequest, headers: dict[str, str] | None = None, response_headers: Any = None
    ) -> tuple[ReadRequest, list[Page]]:
        version = payload.tensors.model_version if payload.tensors is not None else ""
        here = context.current()
        call = Call(here.route, here.deadline, version or None)
        pages = await self.reader.read_many(payload.files, payload.parameters, call)
        here.images, here.lines = call.images, call.lines
        return payload, [page for page in pages if isinstance(page, Page)]

    async def postprocess(
        self,
        result: tuple[ReadRequest, list[Page]],
        headers: dict[str, str] | None = None,
        response_headers: Any = None,
    ) -> dict[str, Any] | TensorResponse:
        request, pages = result
        return v1.answer(pages) if request.tensors is None else v2.answer(request.tensors, pages)

    def get_input_types(self) -> list[dict[str, Any]]:
        return v2.INPUTS

    def get_output_types(self) -> list[dict[str, Any]]:
        return v2.OUTPUTS
