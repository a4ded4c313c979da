"""An image of a request: bytes, or base64 that is decoded in the thread that decodes the image."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ppocr_api.errors import InvalidRequest, RequestError
from transformer.images import ImageLimits, Source, inspect, pixels

if TYPE_CHECKING:
    from ppocr.contract import U8

#: The URL-safe alphabet's two own letters, as plain base64 has them.
_TO_PLAIN: Final = bytes.maketrans(b"-_", b"+/")
_WHITE_SPACE: Final = b" \t\r\n\v\f"
#: As many characters of what is no base64 are shown.
_SHOWN: Final = 12
#: As many characters as the part of a data URL before its comma may have.
_DATA_URL_HEAD: Final = 200


@dataclass(slots=True)
class ImageFile:
    """`data` is the file, or its base64 text where `base64` is set. `where` names it in errors ("instance 2").

    `lenient` reads base64 as Python's decoder does by default, which the retired servers used: characters of no alphabet are
    skipped. `whole` refuses a file that holds further pages, of which the first alone would be read.
    """

    data: bytes | memoryview | str
    where: str = ""
    base64: bool = False
    lenient: bool = False
    whole: bool = False

    def inspect(self, limits: ImageLimits) -> Source:
        """The checked file, which knows its size; nothing is decoded yet."""
        try:
            source = inspect(self._bytes(), limits)
            if self.whole and source.further:
                raise InvalidRequest(
                    "the file has more than one page, and documents are not supported: send each page as an image"
                )
            return source
        except RequestError as error:
            raise self._placed(error) from error
        finally:
            self.data = b""  # from here on the checked file holds the bytes

    def decode(self, source: Source) -> U8:
        """RGB U8 [H,W,3]."""
        try:
            return pixels(source)
        except RequestError as error:
            raise self._placed(error) from error

    def _bytes(self) -> bytes | memoryview:
        if not self.base64 and not isinstance(self.data, str):
            return self.data
        return _from_lenient_base64(self.data) if self.lenient else _from_base64(self.data)

    def _placed(self, error: RequestError) -> RequestError:
        return type(error)(f"{self.where}: {error}") if self.where else error


def _from_base64(text: bytes | memoryview | str) -> bytes:
    """The bytes of base64 text: plain, as a data URL, with the URL-safe alphabet, folded into lines, without padding."""
    if text[:5] in ("data:", b"data:"):
        text = _of_data_url(text)
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        pass
    try:
        plain = (text.encode("ascii") if isinstance(text, str) else bytes(text)).translate(_TO_PLAIN, _WHITE_SPACE)
        return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(_not_base64(text)) from error


def _not_base64(text: bytes | memoryview | str) -> str:
    head = text[:_SHOWN] if isinstance(text, str) else bytes(text[:_SHOWN]).decode("ascii", "replace")
    found = "Python's notation of bytes: decode() makes text of it" if head.startswith(("b'", 'b"')) else repr(head)
    return f"the image is not base64, it begins with {found}; URLs and paths are not accepted"


def _from_lenient_base64(text: bytes | memoryview | str) -> bytes:
    try:
        return binascii.a2b_base64(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(f"the image is not base64: {error}") from error


def _of_data_url(text: bytes | memoryview | str) -> bytes | memoryview | str:
    head = text[:_DATA_URL_HEAD] if isinstance(text, str) else bytes(text[:_DATA_URL_HEAD]).decode("latin-1")
    kind, comma, _ = head.partition(",")
    if not comma or not kind.lower().endswith(";base64"):
        raise InvalidRequest("a data URL must hold base64: data:image/jpeg;base64,…")
    return text[len(kind) + 1 :] if isinstance(text, str) else memoryview(text)[len(kind) + 1 :]
