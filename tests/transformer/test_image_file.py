"""Base64 in the forms that programs write it in."""

from __future__ import annotations

import base64
import time
from io import BytesIO

import pytest
from PIL import Image

from ppocr_api.errors import InvalidRequest
from tests.bad_requests.asking import dot
from transformer.image_file import ImageFile
from transformer.images import ImageLimits

PLAIN = base64.b64encode(dot()).decode()
URL_SAFE = base64.urlsafe_b64encode(dot()).decode()
LIMITS = ImageLimits(10_000_000, 10_000_000)


def test_a_document_is_refused_where_its_first_page_would_be_half() -> None:
    pages = BytesIO()
    Image.new("L", (8, 8)).save(pages, "TIFF", save_all=True, append_images=[Image.new("L", (8, 8))])
    assert ImageFile(pages.getvalue()).inspect(LIMITS).further
    with pytest.raises(InvalidRequest, match="more than one page"):
        ImageFile(pages.getvalue(), whole=True).inspect(LIMITS)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        URL_SAFE,
        URL_SAFE.rstrip("="),
        PLAIN.rstrip("="),
        f"data:image/png;base64,{PLAIN}",
        f"data:image/png;charset=x;BASE64,{URL_SAFE}",
        f"data:;base64,{PLAIN}",
        "\r\n".join(PLAIN[at : at + 76] for at in range(0, len(PLAIN), 76)),
        " ".join(PLAIN),
    ],
)
@pytest.mark.parametrize(
    "make", [str, str.encode, lambda text: memoryview(text.encode())], ids=["text", "bytes", "view"]
)
def test_an_image_in_base64(text: str, make: type) -> None:
    source = ImageFile(make(text), base64=True).inspect(LIMITS)
    assert (source.format, source.width, source.height) == ("PNG", 1, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("*", "not base64"),
        ("äö", "not base64"),
        ("https://example.com/a.png", "URLs and paths are not accepted"),
        ("/etc/passwd", "not an image in a supported format|not base64"),
        ("data:image/png,raw", "must hold base64"),
        ("data:image/png;base64", "must hold base64"),
        ("data:" + "a" * 1000 + ";base64,YQ==", "must hold base64"),
    ],
)
def test_what_is_none(text: str, says: str) -> None:
    for data in (text, text.encode(), memoryview(text.encode())):
        with pytest.raises(Exception, match=says) as refused:
            ImageFile(data, "instance 0", base64=True).inspect(LIMITS)
        assert str(refused.value).startswith("instance 0: ")


def test_white_space_costs_no_more_than_its_bytes() -> None:
    started = time.process_time()
    with pytest.raises(InvalidRequest):
        ImageFile("* " * 5_000_000, base64=True).inspect(LIMITS)
    assert time.process_time() - started < 0.5
