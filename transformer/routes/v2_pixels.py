"""V2 tensors of pixels instead of files, as docling sends them: `image` UINT8 [1,H,W,3] RGB, and `lang_type`.

docling's options are `KserveV2OcrOptions`. Such requests come on V2's paths and are told apart from files by the datatype of
`image`: v2.py asks `is_asked` once it has decoded the tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppocr.serving.tensors import DTYPES, TensorRequest, TensorResponse, bytes_array
from ppocr_api.document import Page, quadrilateral
from ppocr_api.errors import InvalidRequest
from transformer.algorithms.languages import reads
from transformer.pipeline.page import PageInWork
from transformer.pixel_file import PixelFile

#: Parameter of the answer: whether the bundle has the characters of `lang_type`.
READS_LANGUAGE = "reads_lang_type"


@dataclass
class Language:
    """What a request's `lang_type` names, and whether the bundle that read the image has its characters; None if the language
    is unknown."""

    name: str
    is_read: bool | None = None

    def see(self, _index: int, work: PageInWork, _page: Page) -> None:
        """Called with the page when it has been read."""
        labels = next((network.labels for network in work.facts.networks if network.task == "recognition"), ())
        self.is_read = reads(self.name, labels)


def is_asked(request: TensorRequest) -> bool:
    """Whether `image` holds pixels."""
    return "image" in request.inputs and request.inputs["image"].dtype == DTYPES["UINT8"]


def pixels(request: TensorRequest) -> tuple[PixelFile, Language | None]:
    """The image and its language. Raises InvalidRequest."""
    unknown = sorted(set(request.inputs) - {"image", "lang_type"})
    if unknown:
        raise InvalidRequest(f"input '{unknown[0]}' is unknown; known inputs are 'image' and 'lang_type'")
    image = request.inputs["image"]
    shape = image.shape[-3:]
    if image.ndim not in (3, 4) or shape[-1] != 3 or image.size == 0 or image.size != shape[0] * shape[1] * 3:
        raise InvalidRequest(f"input 'image' has the shape {list(image.shape)}; UINT8 pixels must be [1, H, W, 3], RGB")
    return PixelFile(image.reshape(shape), "image 0"), _language(request)


def _language(request: TensorRequest) -> Language | None:
    if "lang_type" not in request.inputs:
        return None
    names = request.tensor("lang_type", "BYTES", request.inputs["lang_type"].ndim).ravel()
    if len(names) != 1:
        raise InvalidRequest(f"input 'lang_type' has {len(names)} elements, and must name one language")
    return Language(bytes(names[0]).decode("utf-8", "replace")[:60])


def response(request: TensorRequest, page: Page, language: Language | None) -> TensorResponse:
    """`boxes` FP32 [N,4,2], `txts` BYTES [N] and `scores` FP32 [N] of the page's lines, in reading order."""
    parameters = {"model": page.model}
    if language is not None and language.is_read is not None:
        parameters[READS_LANGUAGE] = str(language.is_read).lower()
    return TensorResponse(
        model_name=request.model_name,
        model_version=page.model.partition("/")[2],
        id=request.id,
        parameters=parameters,
        outputs={
            "boxes": np.array([quadrilateral(line.points) for line in page.lines], np.float32).reshape(-1, 4, 2),
            "txts": bytes_array([line.text.encode() for line in page.lines]),
            "scores": np.array([line.confidence for line in page.lines], np.float32),
        },
    )
