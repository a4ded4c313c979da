"""Fetching by URL against a real server on this machine. No setting lets the service reach it: these tests say by an argument
which addresses may be reached."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from ppocr.call import Call
from ppocr_api.errors import ImageTooLarge, InvalidImage, InvalidRequest, Overloaded, PpocrError
from ppocr_limits.budget import Budget
from tests.certificates import Authority
from transformer.image_file import ImageFile
from transformer.settings import UrlSettings
from transformer.urls.fetching import FETCHES, Choice, Fetcher
from transformer.urls.hosts import first_public
from transformer.urls.url_file import UrlFile

MAX = 100_000
FILE = bytes(range(256)) * 100


class Server(BaseHTTPRequestHandler):
    """Answers each path in its own way, and notes what was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['host']} {self.path}")
        getattr(self, self.path.split("?")[0].strip("/").replace(".", "_"))()

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def a_png(self) -> None:
        self._send(200, FILE, Content_Type="image/png")

    def untyped(self) -> None:
        self._send(200, FILE)

    def moved(self) -> None:
        self._send(302, b"", Location="/a.png")

    def page(self) -> None:
        self._send(200, b"<html>", Content_Type="text/html")

    def absent(self) -> None:
        self._send(404, FILE, Content_Type="image/png")

    def packed(self) -> None:
        self._send(200, gzip.compress(bytes(10_000_000)), Content_Type="image/png", Content_Encoding="gzip")

    def large(self) -> None:
        self._send(200, bytes(MAX + 1), Content_Type="image/png")

    def endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(10_000))
        except OSError:
            self.close_connection = True

    def silent(self) -> None:
        self.server.stop.wait(10)  # type: ignore[attr-defined]
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing: tests print enough."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Server.asked = []
    running = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    running.stop = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.stop.set()  # type: ignore[attr-defined]
    running.shutdown()
    running.server_close()
    thread.join()


def fetcher(port: int, budget: Budget, choose: Choice = lambda found: found[0], scheme: str = "http") -> Fetcher:
    settings = UrlSettings(f"{scheme}://localhost:{port}", url_timeout_seconds=2.0)
    return Fetcher(settings, MAX, budget, choose)


async def fetched(server: ThreadingHTTPServer, *paths: str, budget: Budget | None = None, **more: Any) -> list[bytes]:
    """What is fetched. All memory is given back afterwards."""
    port, budget = server.server_address[1], budget or Budget(10_000_000)
    files = [UrlFile(f"{more.get('scheme', 'http')}://localhost:{port}/{path}", "input 0") for path in paths]
    try:
        async with fetcher(port, budget, **more).fetched(files, Call()):
            assert budget.held == 2 * sum(file.size for file in files)
            return [bytes(file.data) for file in files]  # type: ignore[arg-type]
    finally:
        assert budget.held == 0


async def test_files_are_fetched(server: ThreadingHTTPServer) -> None:
    assert await fetched(server, "a.png?b=c", "untyped") == [FILE, FILE]
    host = f"localhost:{server.server_address[1]}"
    assert sorted(Server.asked) == [f"{host} /a.png?b=c", f"{host} /untyped"]


async def test_names_are_resolved_in_threads_of_their_own(server: ThreadingHTTPServer) -> None:
    done = threading.Event()
    others = [asyncio.create_task(asyncio.to_thread(done.wait, 10)) for _ in range(64)]
    await asyncio.sleep(0)
    try:
        assert await fetched(server, "a.png") == [FILE]
    finally:
        done.set()
        await asyncio.gather(*others)


@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("moved", InvalidImage, "redirects are not followed"),
        ("page", InvalidImage, "'text/html'"),
        ("absent", InvalidImage, "status 404"),
        ("packed", InvalidImage, "content encoding"),
        ("large", ImageTooLarge, f"more than {MAX} bytes"),
        ("endless", ImageTooLarge, f"more than {MAX} bytes"),
        ("silent", InvalidImage, "wasn't answered within 2 seconds"),
    ],
)
async def test_what_is_not_taken(server: ThreadingHTTPServer, path: str, error: type[PpocrError], says: str) -> None:
    with pytest.raises(error, match=f"^input 0: .*{says}"):
        await fetched(server, path)
    assert len(Server.asked) == 1


async def test_a_name_that_leads_inside_is_not_asked(server: ThreadingHTTPServer) -> None:
    with pytest.raises(InvalidRequest, match="no public address"):
        await fetched(server, "a.png", choose=first_public)
    assert Server.asked == []


async def test_the_connection_goes_to_the_address_that_was_checked(server: ThreadingHTTPServer) -> None:
    """Whatever the name says: here it is said to have an address at which nothing listens."""
    with pytest.raises(InvalidImage, match="can't be fetched from 'localhost'"):
        await fetched(server, "a.png", choose=lambda _: ip_address("127.0.0.2"))
    assert Server.asked == []


async def test_nothing_is_fetched_where_no_host_is_named() -> None:
    nothing = Fetcher(UrlSettings(), MAX, Budget(1000))
    with pytest.raises(InvalidRequest, match=r"^input 3: URLs are not accepted; send the image as base64"):
        async with nothing.fetched([ImageFile(b"x"), UrlFile("https://example.com/a.png", "input 3")], Call()):
            raise AssertionError("it was let in")
    async with nothing.fetched([ImageFile(b"x")], Call()):
        """Files that were sent go through."""


@pytest.mark.parametrize("host", ["no-such-name.invalid", f"{'a' * 64}.invalid"])
async def test_a_name_that_there_is_not(host: str) -> None:
    with pytest.raises(InvalidImage, match="can't be fetched"):
        async with Fetcher(UrlSettings("*.invalid"), MAX, Budget(1000)).fetched(
            [UrlFile(f"https://{host}/", "")], Call()
        ):
            raise AssertionError("it was let in")


async def test_the_memory_for_requests_bounds_it(server: ThreadingHTTPServer) -> None:
    budget = Budget(200_000)
    with budget.claim(50_000), pytest.raises(Overloaded):
        async with fetcher(server.server_address[1], budget).fetched(
            [UrlFile(f"http://localhost:{server.server_address[1]}/a.png", "")], Call()
        ):
            raise AssertionError("it was let in")
    assert budget.held == 0


async def test_no_more_than_so_many_at_a_time(server: ThreadingHTTPServer) -> None:
    port = server.server_address[1]
    one = fetcher(port, Budget(10_000_000))

    async def ask() -> None:
        async with one.fetched([UrlFile(f"http://localhost:{port}/silent", "")], Call()):
            raise AssertionError("it was let in")

    results = await asyncio.gather(*(ask() for _ in range(FETCHES + 3)), return_exceptions=True)
    assert sum(isinstance(each, Overloaded) for each in results) == 3
    assert sum(isinstance(each, InvalidImage) for each in results) == FETCHES


@pytest.mark.parametrize("known", [True, False])
async def test_the_certificate_is_checked_for_the_name(
    server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    authority, other = Authority.made(tmp_path, "trusted"), Authority.made(tmp_path, "other")
    (authority if known else other).sign(tmp_path / "cert.pem", tmp_path / "key.pem", "images")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    if known:
        assert await fetched(server, "a.png", scheme="https") == [FILE]
    else:
        with pytest.raises(InvalidImage, match="can't be fetched"):
            await fetched(server, "a.png", scheme="https")
