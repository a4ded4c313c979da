"""An HTML form, `curl -F file=@image.jpg`: files under any name, parameters as fields; the answer is V1's."""

from __future__ import annotations

from collections.abc import Sequence

from ppocr.serving.declaration import BINARY, Body, Declaration, Path
from ppocr.serving.wire import WireAnswer, WireRequest
from ppocr_api.document import Page
from ppocr_api.errors import InvalidRequest, PpocrError
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.routes import schemas, v1
from transformer.routes.adapter import Adapter, ReadRequest, read_pages
from transformer.routes.fields import MAX_TEXT, URLENCODED, fields_of, is_fields
from transformer.routes.first_bytes import is_base64, is_image
from transformer.routes.form import CONTENT_TYPE, Part, parts_of

LINE = f"curl -F file=@image.jpg {{url}}{v1.PATH}"
#: Maximum length of a file name in an error.
_SHOWN = 40
_BASE64 = {"type": "string", "format": "byte"}

_DECLARATION = Declaration(
    "multipart",
    "An HTML form: each file is read, whatever its field name; the answer has one prediction per file, in the same order. "
    "A file may also be a field with base64 text, as in a form without files (`application/x-www-form-urlencoded`). Parameters "
    "are fields or the query string. If a file can't be read, the whole request fails.",
    paths=(
        Path(
            v1.PATH,
            "image files as a form",
            ("POST",),
            bodies=(
                Body(
                    CONTENT_TYPE,
                    {"type": "object", "properties": {"file": BINARY, **schemas.PARAMETERS}, "required": ["file"]},
                ),
                Body(
                    URLENCODED,
                    {"type": "object", "properties": {"image": _BASE64, **schemas.PARAMETERS}, "required": ["image"]},
                ),
            ),
            query=schemas.PARAMETERS,
            answers=(v1.ANSWER,),
            line=LINE,
        ),
    ),
)


class Multipart(Adapter):
    """Forms in, JSON out."""

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def takes(self, request: WireRequest) -> bool:
        """Decides by the content type. curl sends everything as URLENCODED, so such a body must also look like fields."""
        kind = request.content_type
        return kind == CONTENT_TYPE or (kind == URLENCODED and is_fields(request.body))

    def parse(self, request: WireRequest) -> ReadRequest:
        files: list[ImageFile] = []
        texts = dict(request.query)
        encoded = request.content_type == URLENCODED
        parts = fields_of(request.body) if encoded else parts_of(request.body, request.headers["content-type"])
        for part in parts:
            file = _file(part, len(files))
            if file is not None:
                files.append(file)
            elif part.filename is None:
                texts[part.name] = bytes(part.data[:MAX_TEXT]).decode("utf-8", "replace")
        if not files:
            fields = ", ".join(repr(part.name[:_SHOWN]) for part in parts[:4]) or "none"
            raise InvalidRequest(
                f"the form has no file and no field with base64; its fields are {fields}: {request.line(LINE)}"
            )
        return ReadRequest(files, Parameters.parse_texts(texts))

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        return v1.answer(read_pages(pages), asked.parameters)


def _file(part: Part, index: int) -> ImageFile | None:
    """The image of a part; None for a parameter, and for the empty part that a browser sends if no file was chosen."""
    long = part.filename is None and len(part.data) > MAX_TEXT and not is_image(part.data)
    base64 = part.encoding == "base64" or is_base64(part.data) or long
    if part.filename is None and not is_image(part.data) and (part.name in schemas.PARAMETERS or not base64):
        return None
    if part.filename == "" and not part.data:
        return None
    called = part.filename or part.name
    shown = called if len(called) <= _SHOWN else called[:_SHOWN] + "…"
    return ImageFile(part.data, f"file {index} ({shown})", base64=base64)
