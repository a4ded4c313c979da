"""Forms: what is read of one, without a copy, and which are refused at once."""

from __future__ import annotations

import base64
import time
from contextlib import suppress
from urllib.parse import urlencode

import pytest

from ppocr_api.errors import InvalidRequest
from tests.bad_requests.asking import dot
from tests.transformer.routes.exchanges import PLAIN, body_of, posted
from transformer.parameters import Parameters
from transformer.routes.fields import URLENCODED, fields_of
from transformer.routes.form import MAX_PARTS, parts_of
from transformer.routes.multipart import Multipart
from transformer.routes.raw import Raw
from transformer.routes.v1 import V1

TYPE = "multipart/form-data; boundary=xyz"


def part(head: str, data: bytes = b"") -> bytes:
    return f'--xyz\r\nContent-Disposition: form-data; name="{head}\r\n\r\n'.encode() + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--xyz--\r\n"


def test_files_under_any_name_and_parameters_as_fields() -> None:
    body = form(
        part('a"; filename="one.jpg"', b"first"),
        part('return_word_box"', b"true"),
        part('b"; filename="zwei ä.jpg"\r\nContent-Type: image/jpeg', b"sec\r\n--xy\r\nond"),
        part('c"; filename=""'),
    )
    request = posted(body, TYPE)
    request.query["text_det_thresh"] = "0.5"  # type: ignore[index]
    assert Multipart().takes(request)
    asked = Multipart().parse(request)
    assert [bytes(file.data) for file in asked.files] == [b"first", b"sec\r\n--xy\r\nond"]  # type: ignore[arg-type]
    assert [file.where for file in asked.files] == ["file 0 (one.jpg)", "file 1 (zwei ä.jpg)"]
    assert asked.parameters == Parameters(return_word_box=True, text_det_thresh=0.5)
    assert len(body_of(Multipart().render(request, asked, [PLAIN, PLAIN]))["predictions"]) == 2


def test_the_files_are_views_of_the_body() -> None:
    body = form(part('a"; filename="one.jpg"', b"first"))
    (file,) = parts_of(body, TYPE)
    assert isinstance(file.data, memoryview)
    assert file.data.obj is body


@pytest.mark.parametrize(
    ("head", "data", "is_base64"),
    [
        ('image"', dot(), False),
        ('image"', b"data:image/png;base64,YQ==", True),
        ('image"', b"/9j/YQ==", True),
        ('x"; filename="x"\r\nContent-Transfer-Encoding: base64', b"YQ==", True),
    ],
    ids=["a field of bytes", "a data URL", "base64", "transfer encoding"],
)
def test_an_image_as_a_field(head: str, data: bytes, is_base64: bool) -> None:
    (file,) = Multipart().parse(posted(form(part(head, data)), TYPE)).files
    assert (bytes(file.data), file.base64) == (data, is_base64)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        (form(), TYPE, "no file"),
        (b"", TYPE, "begin with the boundary"),
        (form(part('a"; filename="a"')), "multipart/form-data", "boundary"),
        (form(part('a"; filename="a"')), f"multipart/form-data; boundary={'x' * 71}", "1 to 70"),
        (b"preamble" + form(part('a"; filename="a"')), TYPE, "begin with the boundary"),
        (part('a"; filename="a"', b"cut"), TYPE, "cut off"),
        (b"--xyz\r\nContent-Disposition", TYPE, "cut off"),
        (form(part('a"; filename="a"\r\n' + "x: y\r\n" * 8 + "z: y")), TYPE, "malformed"),
        (form(part(f'a"; filename="{"a" * 3000}"')), TYPE, "malformed"),
        (form(part('a"; filename="a"', b"\r\n--xyzz")), TYPE, "follows one of its boundaries"),
        (form(part('nonsense"', b"1")), TYPE, "no file and no field with base64; its fields are 'nonsense'"),
        (form(part('nonsense"', b"1"), part('a"; filename="a"', b"x")), TYPE, "unknown parameter 'nonsense'"),
    ],
    ids=lambda value: None,
)
def test_forms_that_are_refused(body: bytes, content_type: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        Multipart().parse(posted(body, content_type))


def test_a_form_of_very_many_parts() -> None:
    parts_of(form(*[part('a"', b"1")] * (MAX_PARTS - 2)), TYPE)
    with pytest.raises(InvalidRequest, match="too many parts"):
        parts_of(form(*[part('a"', b"1")] * MAX_PARTS), TYPE)


@pytest.mark.parametrize(
    "filling",
    [b"\r\n--xyzz" * 100_000, b"\r\n--xyz" + b" " * 10_000_000, b"-" * 10_000_000, b"\r\n--xy" * 1_000_000],
    ids=["boundaries with something behind", "padding behind a boundary", "dashes", "almost boundaries"],
)
def test_no_form_costs_more_than_its_bytes(filling: bytes) -> None:
    started = time.process_time()
    for body in (form(part('a"; filename="a"', filling)), filling + form()):
        with suppress(InvalidRequest):
            parts_of(body, TYPE)
    assert time.process_time() - started < 0.5


SEMICOLONS = ";" * 1900


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (f'a"; b="{SEMICOLONS}', TYPE),
        (f'a{SEMICOLONS}"', TYPE),
        ('a"' + '\r\nContent-Disposition: form-data; name="b"' * 7, TYPE),
        ('a"', f'multipart/form-data; a="{";" * 60_000}"; boundary=xyz'),
    ],
    ids=["options", "a name", "dispositions", "a content type"],
)
def test_no_heads_of_parts_cost_more_than_their_bytes(head: str, content_type: str) -> None:
    body = form(*[part(head)] * (MAX_PARTS - 1))
    began = time.thread_time()
    with pytest.raises(InvalidRequest):
        parts_of(body, content_type)
    assert time.thread_time() - began < 0.02


def test_a_name_may_have_semicolons() -> None:
    (file,) = parts_of(form(part('a"; filename="one; two; three.jpg"', b"first")), TYPE)
    assert file.filename == "one; two; three.jpg"


FILES = {
    "a PNG": dot(),
    "a GIF": b"GIF89a" + bytes(range(256)) * 4,
    "all letters": bytes(range(256)) * 3000,
}


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
@pytest.mark.parametrize(
    "way", ["escaped", "in lower case", "plus signs as they are", "for URLs", "a data URL", "folded"]
)
def test_fields_without_files(file: bytes, way: str) -> None:
    text = (base64.encodebytes if way == "folded" else base64.b64encode)(file).decode()
    text = {"for URLs": text.translate(str.maketrans("+/", "-_")), "a data URL": f"data:image/png;base64,{text}"}.get(
        way, text
    )
    body = urlencode({"return_word_box": "1", "image": text}).encode()
    if way == "in lower case":
        body = body.replace(b"%2B", b"%2b").replace(b"%2F", b"%2f").replace(b"%3D", b"%3d")
    if way == "plus signs as they are":
        body = body.replace(b"%2B", b"+")
    request = posted(body, URLENCODED)
    if way == "for URLs" and len(text) < 1000:
        return  # short, and unlike the base64 of an image: as well a parameter
    assert [type(each) for each in (V1(), Raw(), Multipart()) if each.takes(request)] == [Multipart]
    asked = Multipart().parse(request)
    (read,) = asked.files
    assert asked.parameters == Parameters(return_word_box=True)
    assert read.base64
    assert read._bytes() == file


@pytest.mark.parametrize("body", [b"\xff\xd8\xff", b'{"instances": []}', b"/9j/4AAQ" + b"a" * 200 + b"==", b"hello"])
def test_what_curl_calls_a_form_by_itself_is_none(body: bytes) -> None:
    assert not Multipart().takes(posted(body, URLENCODED))


def test_fields_that_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="no file and no field with base64; its fields are 'image', 'b c'"):
        Multipart().parse(posted(b"image=hello&b+c=%41", URLENCODED))
    assert [(part.name, bytes(part.data)) for part in fields_of(b"a=%C3%A4+b&&c&=d&e=f=g")] == [
        ("a", "ä b".encode()),
        ("c", b""),
        ("", b"d"),
        ("e", b"f=g"),
    ]
    with pytest.raises(InvalidRequest, match="too many fields"):
        fields_of(b"a=1&" * MAX_PARTS)


@pytest.mark.parametrize("filling", [b"%2B" * 5_000_000, b"%" * 10_000_000, b"&" * 10_000_000, b"=" * 10_000_000])
def test_no_fields_cost_more_than_their_bytes(filling: bytes) -> None:
    started = time.process_time()
    with suppress(InvalidRequest):
        fields_of(b"image=" + filling)
    assert time.process_time() - started < 0.5
