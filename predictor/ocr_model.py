"""The KServe models `det` and `rec`: V2 tensors in and out of the networks, as ppocr/contract.py describes them."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from kserve import Model

from ppocr.contract import DET, FACTS_PARAMETER, IDENTITY_PARAMETER, REC, Lines, Part, Predictor
from ppocr.serving import context
from ppocr.serving.tensors import TensorRequest, TensorResponse
from ppocr_api.errors import InvalidRequest

_INPUTS = {
    DET: [{"name": "image", "datatype": "UINT8", "shape": [-1, -1, -1, 3]}],
    REC: [
        {"name": "pixels", "datatype": "UINT8", "shape": [-1]},
        {"name": "widths", "datatype": "INT32", "shape": [-1]},
    ],
}
_OUTPUTS = {
    DET: [{"name": "probability", "datatype": "UINT8", "shape": [-1, -1, -1]}],
    REC: [
        {"name": "ids", "datatype": "INT32", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1]},
        {"name": "steps", "datatype": "INT32", "shape": [-1]},
    ],
}


class OcrModel(Model):  # type: ignore[misc]
    """One of the two networks, by its part's name."""

    def __init__(self, part: Part, predictor: Predictor) -> None:
        super().__init__(part)
        self._predictor = predictor
        self.ready = True

    async def healthy(self) -> bool:
        """True when a prediction would be accepted now."""
        return await self._predictor.ready()

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> TensorRequest:
        if not isinstance(payload, TensorRequest):
            raise InvalidRequest("the predictor speaks V2 alone: POST /v2/models/det/infer or /v2/models/rec/infer")
        return payload

    async def predict(
        self, payload: TensorRequest, headers: dict[str, str] | None = None, response_headers: Any = None
    ) -> TensorResponse:
        if self.name == DET:
            return await self._det(payload)
        return await self._lines_of_one_width(payload) if "lines" in payload.inputs else await self._rec(payload)

    async def check_version(self, version: str) -> None:
        """Raises NotFound where `version` isn't in memory."""
        await self._predictor.facts(version)

    async def metadata_parameters(self, version: str) -> dict[str, str]:
        """What ModelMetadata carries beyond the tensors: the facts of `version`, or of the one that serves."""
        facts = await self._predictor.facts(version or None)
        return {FACTS_PARAMETER: facts.to_json()}

    def get_input_types(self) -> list[dict[str, Any]]:
        return _INPUTS[self.name]

    def get_output_types(self) -> list[dict[str, Any]]:
        return _OUTPUTS[self.name]

    async def _det(self, request: TensorRequest) -> TensorResponse:
        images = request.tensor("image", "UINT8", 4)
        if not len(images):
            raise InvalidRequest("input 'image' holds no image")
        deadline = context.current().deadline
        # A swap may come between two images of a request; its answer names one version.
        version = (await self._predictor.facts(request.model_version or None)).identity
        answers = await asyncio.gather(*(self._predictor.det(image, deadline, version) for image in images))
        probability = np.stack([answer.probability for answer in answers])
        return self._response(request, {"probability": probability}, version)

    async def _rec(self, request: TensorRequest) -> TensorResponse:
        lines = Lines(request.tensor("pixels", "UINT8", 1), request.tensor("widths", "INT32", 1))
        answer = await self._predictor.rec(lines, request.model_version or None, context.current().deadline)
        outputs = {"ids": answer.ids, "probabilities": answer.probabilities, "steps": answer.steps}
        return self._response(request, outputs, answer.version)

    async def _lines_of_one_width(self, request: TensorRequest) -> TensorResponse:
        lines = request.tensor("lines", "UINT8", 4)
        facts = await self._predictor.facts(request.model_version or None)
        height = facts.rec.height
        if not len(lines) or lines.shape[1] != height or lines.shape[3] != 3:
            raise InvalidRequest(f"input 'lines' has the shape {list(lines.shape)}, and must be [N, {height}, W, 3]")
        widths = np.full(len(lines), lines.shape[2], np.int32)
        flat = Lines(np.ascontiguousarray(lines).reshape(-1), widths)
        answer = await self._predictor.rec(flat, facts.identity, context.current().deadline)
        shape = (len(lines), -1)
        outputs = {"ids": answer.ids.reshape(shape), "probabilities": answer.probabilities.reshape(shape)}
        return self._response(request, outputs, answer.version)

    @staticmethod
    def _response(request: TensorRequest, outputs: dict[str, Any], identity: str) -> TensorResponse:
        return TensorResponse(
            request.model_name,
            outputs,
            model_version=identity.partition("@")[0].rpartition("/")[2],
            id=request.id,
            parameters={IDENTITY_PARAMETER: identity},
        )
