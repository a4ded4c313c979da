"""`Client` and `AsyncClient` against servers that misbehave in known ways."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import pytest

from ppocr_api import errors
from ppocr_client import AsyncClient, Client, Page
from tests.clients.scripted import Answer, http
from tests.services import free_port

Read: TypeAlias = Callable[..., Page]
BUSY = Answer(429, {"error": "the queue is full"}, {"Retry-After": "0"})
AWAY = Answer(503, {"error": "draining"}, {"Retry-After": "0"})


def read_sync(url: str, image: Any = b"x", timeout: float = 20.0, retries: int = 3, **parameters: Any) -> Page:
    with Client(url, timeout=timeout, retries=retries) as client:
        return client.read(image, **parameters)


def read_async(url: str, image: Any = b"x", timeout: float = 20.0, retries: int = 3, **parameters: Any) -> Page:
    async def run() -> Page:
        async with AsyncClient(url, timeout=timeout, retries=retries) as client:
            return await client.read(image, **parameters)

    return asyncio.run(run())


@pytest.fixture(params=[read_sync, read_async], ids=["Client", "AsyncClient"])
def read(request: pytest.FixtureRequest) -> Read:
    chosen: Read = request.param
    return chosen


def test_the_image_travels_as_it_is_with_its_type_and_parameters(read: Read) -> None:
    with http(Answer()) as server:
        page = read(server.address + "/", b"\xff\xd8\xff..", text_det_thresh=0.25, return_word_box=True)
    (asked,) = server.asked
    path = urlsplit(asked.path)
    assert path.path == "/v1/models/ppocr:predict"
    assert parse_qs(path.query) == {"text_det_thresh": ["0.25"], "return_word_box": ["true"]}
    assert asked.body == b"\xff\xd8\xff.."
    assert asked.headers["content-type"] == "image/jpeg"
    assert 19_000 < int(asked.headers["x-request-timeout-ms"]) <= 20_000
    assert page.text == "hello"
    assert page.lines[0].points == ((0, 0), (9, 0), (9, 4), (0, 4))


@pytest.mark.parametrize("form", ["bytes", "bytearray", "memoryview", "str", "path", "file"])
def test_forms_of_an_image(read: Read, form: str, tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"II*\x00data")
    forms: dict[str, Any] = {
        "bytes": path.read_bytes(),
        "bytearray": bytearray(path.read_bytes()),
        "memoryview": memoryview(path.read_bytes()),
        "str": str(path),
        "path": path,
        "file": io.BytesIO(path.read_bytes()),
    }
    with http(Answer()) as server:
        read(server.address, forms[form])
    assert server.asked[0].body == b"II*\x00data"


def test_a_missing_file_is_an_invalid_image(read: Read) -> None:
    with pytest.raises(errors.InvalidImage, match=r"nowhere\.png can't be read: No such file"):
        read("http://127.0.0.1:9", "nowhere.png")


def test_turned_away_twice_then_read(read: Read) -> None:
    with http(BUSY, AWAY, Answer()) as server:
        assert read(server.address).text == "hello"
    assert len(server.asked) == 3


def test_turned_away_too_often(read: Read) -> None:
    with http(BUSY, BUSY) as server, pytest.raises(errors.Overloaded, match=r"^the queue is full$"):
        read(server.address, retries=1)
    assert len(server.asked) == 2


@pytest.mark.parametrize(("status", "kind"), [(400, errors.InvalidRequest), (500, errors.PpocrError)])
def test_other_errors_are_not_tried_again(read: Read, status: int, kind: type[errors.PpocrError]) -> None:
    with http(Answer(status, {"error": "no such luck"})) as server, pytest.raises(kind, match="no such luck"):
        read(server.address)
    assert len(server.asked) == 1


def test_a_broken_connection_is_not_tried_again(read: Read) -> None:
    """The image may be in the works, or be what broke the service."""
    with http(Answer(None)) as server, pytest.raises(errors.Unavailable, match="broke before the answer"):
        read(server.address)
    assert len(server.asked) == 1


def test_no_server(read: Read) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(errors.Unavailable, match=f"{address} can't be reached"):
        read(address, retries=1)


@pytest.mark.parametrize(
    "body", [b"<html>", [], {"predictions": []}, {"predictions": [{"text": 1}]}, {"predictions": [3]}]
)
def test_an_answer_that_is_none(read: Read, body: Any) -> None:
    with http(Answer(200, body)) as server, pytest.raises(errors.PpocrError, match="the answer"):
        read(server.address)


def test_an_error_page_of_a_gateway(read: Read) -> None:
    with http(Answer(502, b"<html>bad gateway")) as server, pytest.raises(errors.PpocrError, match=r"Bad Gateway.*502"):
        read(server.address)


def test_headers_go_with_every_request() -> None:
    with http(Answer()) as server, Client(server.address, headers={"Authorization": "Bearer x"}) as client:
        client.read(b"x")
    assert server.asked[0].headers["authorization"] == "Bearer x"
