"""The parts of a multipart/form-data body. Their content is not copied: a part's data is a view of the body.

python-multipart parses. It goes through some places of a form byte by byte; `_check_boundaries` looks through the body first,
at the speed of memory, so that no form can be made of such places.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ppocr_api.errors import InvalidRequest

CONTENT_TYPE: Final = "multipart/form-data"
MAX_PARTS: Final = 256
MAX_HEADERS: Final = 8
MAX_HEADER_BYTES: Final = 2048
#: Of RFC 2046.
MAX_BOUNDARY: Final = 70
#: Characters of a form's content type, and semicolons in a part's disposition: to find its options takes the square of them.
MAX_CONTENT_TYPE: Final = 1024
MAX_OPTIONS: Final = 32

# It warns of every form that is wrong; the caller is told instead.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


@dataclass
class Part:
    """One part: a file if it has a `filename`, else a field. `encoding` is its Content-Transfer-Encoding. `disposed`: it has
    said what it is."""

    name: str = ""
    filename: str | None = None
    encoding: str = ""
    data: memoryview = field(default_factory=lambda: memoryview(b""))
    disposed: bool = False


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """The parts of `body`, in their order. Raises InvalidRequest."""
    short = content_type if len(content_type) <= MAX_CONTENT_TYPE else ""
    boundary = parse_options_header(short)[1].get(b"boundary", b"")
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        raise InvalidRequest(f"multipart/form-data needs a boundary of 1 to {MAX_BOUNDARY} characters")
    body = body.removeprefix(b"\r\n")
    if not body.startswith(b"--" + boundary):
        raise InvalidRequest("the form does not begin with the boundary that its content type names")
    _check_boundaries(body, b"\r\n--" + boundary)
    collector = _Collector(body)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": collector.begin,
            "on_header_field": collector.header_name,
            "on_header_value": collector.header_value,
            "on_header_end": collector.header_end,
            "on_part_data": collector.data,
            "on_part_end": collector.end,
            "on_end": collector.close,
        },
        max_header_count=MAX_HEADERS,
        max_header_size=MAX_HEADER_BYTES,
    )
    try:
        parser.write(body)
    except FormParserError as error:
        raise InvalidRequest(
            f"the form is malformed; a part may have {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes"
        ) from error
    if not collector.closed:
        raise InvalidRequest("the form is cut off: it does not end with its boundary")
    return collector.parts


def _check_boundaries(body: bytes, boundary: bytes) -> None:
    """That no more parts begin than may, and that what follows each boundary is the end of a line or of the form."""
    after, at = re.compile(rb"--|[ \t]{0,16}\r\n"), 0
    for _ in range(MAX_PARTS):
        at = body.find(boundary, at)
        if at < 0:
            return
        at += len(boundary)
        if after.match(body, at) is None:
            raise InvalidRequest("the form is malformed: something follows one of its boundaries")
    raise InvalidRequest(f"the form has too many parts; the maximum is {MAX_PARTS - 1}")


class _Collector:
    """What the parser calls while it goes through `body`, which it is given at once: so places are places of the body."""

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)
        self.parts: list[Part] = []
        self.closed = False
        self._name, self._value = b"", b""
        self._first, self._last = 0, 0

    def begin(self) -> None:
        self.parts.append(Part())
        self._first = self._last = 0

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        part, name, value = self.parts[-1], self._name.lower(), self._value.decode("utf-8", "replace")
        self._name, self._value = b"", b""
        if name == b"content-transfer-encoding":
            part.encoding = value.strip().lower()
        elif name == b"content-disposition":
            if value.count(";") > MAX_OPTIONS or part.disposed:
                raise InvalidRequest(
                    f"the form is malformed: a part has one Content-Disposition, of at most {MAX_OPTIONS} options"
                )
            part.disposed = True
            options = parse_options_header(self._latin1(value))[1]
            part.name = options.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in options:
                part.filename = options[b"filename"].decode("utf-8", "replace")

    @staticmethod
    def _latin1(value: str) -> str:
        return value.encode().decode("latin-1")  # names are UTF-8, and that function takes bytes for Latin-1

    def data(self, _: bytes, start: int, end: int) -> None:
        self._first, self._last = self._first or start, end

    def end(self) -> None:
        self.parts[-1].data = self._body[self._first : self._last]

    def close(self) -> None:
        self.closed = True
