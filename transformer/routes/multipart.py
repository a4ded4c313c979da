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
from transformer.routes.first_bytes import is_base64, is_image
from transformer.routes.form import Part, parts_of

LINE = f"curl -F file=@image.jpg {{url}}{v1.PATH}"
CONTENT_TYPE = "multipart/form-data"
#: Longest name of a file that an error shows.
_SHOWN = 40

_DECLARATION = Declaration(
    "multipart",
    "An HTML form: each file is read, whatever its field is called, and one prediction comes back for each, in their order. "
    "A file may also be a field of base64 text. Parameters are fields, or the query string. The first file that can't be read is "
    "the error of the whole request.",
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

    def parse(self, request: WireRequest) -> ReadRequest:
        files: list[ImageFile] = []
        texts = dict(request.query)
        for part in parts_of(request.body, request.headers["content-type"]):
            file = _file(part, len(files))
            if file is not None:
                files.append(file)
            elif part.filename is None:
                texts[part.name] = bytes(part.data[:1000]).decode("utf-8", "replace")
        if not files:
            raise InvalidRequest(f"the form holds no file: {request.line(LINE)}")
        return ReadRequest(files, Parameters.parse_texts(texts))

    def render(self, request: WireRequest, asked: ReadRequest, pages: Sequence[Page | PpocrError]) -> WireAnswer:
        return v1.answer(read_pages(pages), asked.parameters)


def _file(part: Part, index: int) -> ImageFile | None:
    """The image of a part, or None for a parameter, and for what a browser sends where no file was chosen."""
    base64 = part.encoding == "base64" or is_base64(part.data)
    if part.filename is None and not is_image(part.data) and (part.name in schemas.PARAMETERS or not base64):
        return None
    if part.filename == "" and not part.data:
        return None
    called = part.filename or part.name
    shown = called if len(called) <= _SHOWN else called[:_SHOWN] + "…"
    return ImageFile(part.data, f"file {index} ({shown})", base64=base64)
