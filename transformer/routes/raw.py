"""An image file as the body, parameters as the query; the answer is V1's, with one prediction."""

from __future__ import annotations

from collections.abc import Sequence

from ppocr.serving.declaration import BINARY, Body, Declaration, Path
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Page
from ppocr_api.errors import InvalidImage, InvalidRequest, PpocrError
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.routes import schemas, v1
from transformer.routes.adapter import Adapter, ReadRequest, read_pages
from transformer.routes.fields import URLENCODED, is_fields
from transformer.routes.first_bytes import UNSPECIFIC_TYPES, is_base64, is_image

_DECLARATION = Declaration(
    "raw",
    "One image file as the body, on V1's path: no base64, no JSON. The file type is recognised by its first bytes, "
    "not by the content type. Parameters are in the query string. The answer is V1's, with one prediction.",
    paths=(
        Path(
            v1.PATH,
            "an image file as the body",
            ("POST",),
            bodies=(Body("image/*", BINARY), Body("application/octet-stream", BINARY)),
            query=schemas.PARAMETERS,
            answers=(v1.ANSWER,),
            line=v1.LINE,
        ),
    ),
    also_as=UNSPECIFIC_TYPES,
)


#: A smaller file may contain no line break by chance.
_SHORT = 4096


class Raw(Adapter):
    """Bytes in, JSON out."""

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def takes(self, request: WireRequest) -> bool:
        """An image by its first bytes, or a body without a specific content type."""
        if request.content_type == URLENCODED and is_fields(request.body):
            return False
        return self.declaration.reads(request.content_type) or is_image(request.body)

    def parse(self, request: WireRequest) -> ReadRequest:
        body = request.body
        if not body:
            raise InvalidRequest("the body is empty, and must be an image file")
        file = ImageFile(body, base64=is_base64(body))
        return ReadRequest([file], Parameters.parse_texts(request.query))

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        return v1.answer(read_pages(pages), asked.parameters)

    def render_error(self, request: WireRequest, error: PpocrError) -> WireAnswer:
        if isinstance(error, InvalidImage) and _lacks_line_breaks(request):
            said = f"{error}; curl's -d leaves line breaks out of a file, this sends all of it: {request.line(v1.LINE)}"
            error = type(error)(said)
        return super().render_error(request, error)


def _lacks_line_breaks(request: WireRequest) -> bool:
    """Whether a file was probably sent with curl's -d, which removes line breaks: almost every file has such bytes."""
    body = request.body
    return request.content_type == URLENCODED and len(body) > _SHORT and b"\n" not in body and b"\r" not in body
