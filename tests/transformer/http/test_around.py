"""Around the application: compression, a path prefix, other sites' pages; and the guard still counts and limits."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from ppocr_api.errors import ConfigError
from tests.ppocr.serving.toy import Toy, servers
from transformer.http.around import around
from transformer.http.content_encoding import LONG
from transformer.settings import WebSettings

TEXT = {"content-type": "text/plain"}


async def long_answer(call: Any) -> str:
    return "A" * LONG


@asynccontextmanager
async def client(**settings: str) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the toy service, whose bodies may have 100 bytes."""
    _, rest, _ = servers({"long": long_answer}, Toy())
    app: Any = around(rest.config.app, WebSettings(**settings))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as known:
        yield known


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"up")),
        ("x-gzip", gzip.compress(b"up")),
        ("deflate", zlib.compress(b"up")),
        ("identity", b"up"),
    ],
)
async def test_a_packed_body_is_read(encoding: str, body: bytes) -> None:
    async with client() as http:
        answer = await http.post("/toy/x", content=body, headers={**TEXT, "content-encoding": encoding})
    assert answer.json() == {"code": 0, "said": "UP"}


async def test_what_comes_out_is_counted_against_the_limit() -> None:
    body = gzip.compress(bytes(101))
    assert len(body) < 100
    async with client() as http:
        answer = await http.post("/toy/x", content=body, headers={**TEXT, "content-encoding": "gzip"})
    assert answer.json()["code"] == 413


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "nonsense"])
async def test_another_encoding_is_refused_with_those_that_are_read(encoding: str) -> None:
    async with client() as http:
        answer = await http.post("/v2/health/live", content=b"x", headers={"content-encoding": encoding})
        assert answer.status_code == 405
        answer = await http.request("GET", "/v2/health/live", content=b"x", headers={"content-encoding": encoding})
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, deflate")
    assert encoding in answer.json()["error"]


async def test_a_damaged_body_is_the_callers_error() -> None:
    async with client() as http:
        answer = await http.post("/toy/x", content=b"no gzip", headers={**TEXT, "content-encoding": "gzip"})
    assert answer.json()["code"] == 400


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("deflate", "deflate"),
        ("gzip;q=0, deflate;q=0.5", "deflate"),
        ("gzip;q=0.0", None),
        ("br", None),
        ("identity", None),
    ],
)
async def test_a_long_answer_is_packed_where_that_is_asked_for(accepted: str, encoding: str | None) -> None:
    async with client() as http:
        answer = await http.post("/toy/x", content=b"long", headers={**TEXT, "accept-encoding": accepted})
        short = await http.post("/toy/x", content=b"up", headers={**TEXT, "accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert (int(answer.headers["content-length"]) < LONG) == (encoding is not None)
    assert answer.json()["said"] == "A" * LONG
    assert "content-encoding" not in short.headers


@pytest.mark.parametrize("path", ["/ocr/toy/x", "/toy/x", "/ocr/toy/x/"])
async def test_a_prefix_may_be_left_or_taken_off(path: str) -> None:
    async with client(root_path="/ocr/") as http:
        answer = await http.post(path, content=b"up", headers=TEXT)
    assert answer.json() == {"code": 0, "said": "UP"}


async def test_examples_in_errors_are_written_with_the_prefix() -> None:
    async with client(root_path="/ocr") as http:
        missing = await http.get("/nothing")
        other = await http.get("/ocrs/toy/x")
        assert (await http.get("/openapi.json")).json()["servers"] == [{"url": "/ocr"}]
    assert "curl http://toy/ocr/openapi.json" in missing.json()["error"]
    assert other.status_code == 404


async def test_other_sites_pages_may_ask_only_where_that_is_set() -> None:
    preflight = {"origin": "https://a.example", "access-control-request-method": "POST"}
    async with client() as http:
        answer = await http.options("/toy/x", headers=preflight)
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]
    async with client(cors_origins="https://a.example, https://b.example") as http:
        answer = await http.options("/toy/x", headers={**preflight, "access-control-request-headers": "content-type"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://a.example")
        refused = await http.post("/toy/x", content=b"a" * 101, headers={**TEXT, "origin": "https://a.example"})
        assert refused.headers["access-control-allow-origin"] == "https://a.example"
        other = await http.post("/toy/x", content=b"up", headers={**TEXT, "origin": "https://c.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    "settings",
    [
        {"cors_origins": "a.example"},
        {"cors_origins": "https://a.example/page"},
        {"root_path": "ocr"},
        {"root_path": "/a b"},
    ],
)
def test_wrong_settings_end_the_start(settings: dict[str, str]) -> None:
    async def app(*_: Any) -> None:
        """Never asked."""

    with pytest.raises(ConfigError, match=next(iter(settings))):
        around(app, WebSettings(**settings))
