"""A real browser: fetch with a Blob and a FormData, from another site, and the page behind a gateway's path prefix."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests import services
from tests.first_contact.conftest import IMAGE
from tests.services import Service
from tests.transformer.web.browser import chromium

PROGRAMS = Path(__file__).parents[2] / "docs" / "programs.md"
#: Sends the image of the page's own canvas as arguments[1] says to arguments[0], and gives back status and JSON, or the error.
SEND = """
const [url, way, done] = arguments;
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [400, 100];
const context = canvas.getContext("2d");
context.fillStyle = "white";
context.fillRect(0, 0, 400, 100);
context.fillStyle = "black";
context.font = "40px sans-serif";
context.fillText("HELLO 42", 40, 60);
canvas.toBlob(async (blob) => {
  let body = blob;
  if (way === "form") {
    body = new FormData();
    body.append("picture", blob, "hello.png");
  }
  if (way === "data URL") body = canvas.toDataURL();
  if (way === "JSON") body = JSON.stringify({ instances: [canvas.toDataURL().split(",")[1]] });
  try {
    const headers = way === "JSON" ? { "Content-Type": "application/json" } : {};
    const answer = await fetch(url, { method: "POST", body, headers });
    done([answer.status, await answer.json()]);
  } catch (error) {
    done([0, String(error)]);
  }
});
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    yield from chromium()


@pytest.fixture(scope="module")
def open_to_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that other sites' pages may ask, and that knows the prefix of its gateway."""
    log = tmp_path_factory.mktemp("open") / "log"
    with services.all_in_one(log, "--cors_origins", "*", "--root_path", "/ocr") as running:
        yield running


@pytest.mark.parametrize("way", ["blob", "form", "data URL", "JSON"])
def test_fetch(browser: Chrome, service: Service, way: str) -> None:
    browser.get(service.url)
    status, answer = browser.execute_async_script(SEND, "/v1/models/ppocr:predict", way)
    assert status == 200, answer
    assert answer["predictions"][0]["lines"][0]["text"] == "HELLO 42"


@pytest.mark.parametrize("way", ["blob", "JSON"])
def test_a_page_of_another_site(browser: Chrome, service: Service, open_to_all: Service, way: str) -> None:
    browser.get(service.url)
    browser.execute_cdp_cmd(
        "Page.setBypassCSP", {"enabled": True}
    )  # the page's own policy lets it ask only its service
    browser.get(service.url)
    status, answer = browser.execute_async_script(SEND, f"{open_to_all.url}/v1/models/ppocr:predict", way)
    assert status == 200, answer
    browser.get(open_to_all.url)
    status, answer = browser.execute_async_script(SEND, f"{service.url}/v1/models/ppocr:predict", way)
    assert (status, "Failed to fetch" in answer) == (0, True)
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})


def test_the_documented_page(browser: Chrome, open_to_all: Service, lines: list[str]) -> None:
    """docs/programs.md's page, on another site than the service."""
    (page,) = re.findall(r"^```html\n(.*?)^```$", PROGRAMS.read_text(), re.MULTILINE | re.DOTALL)
    assert page.count("http://127.0.0.1:8080") == 1
    with site(page.replace("http://127.0.0.1:8080", open_to_all.url)) as address:
        browser.get(address)
        browser.find_element(By.CSS_SELECTOR, "input").send_keys(str(IMAGE))
        shown = browser.find_element(By.CSS_SELECTOR, "pre")
        WebDriverWait(browser, 60).until(lambda _: shown.text)
        assert shown.text.splitlines() == lines


@contextmanager
def site(page: str) -> Iterator[str]:
    """A site of one page. Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: Any) -> None:
            """Nothing: tests print enough."""

    with served(Handler) as address:
        yield address


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server of `handler`. Its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def gateway(behind: Service, prefix: str, *, strips: bool) -> Iterator[str]:
    """A gateway that serves what is `behind` under `prefix`, and nothing beside it. Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != prefix and not self.path.startswith(prefix + "/"):
                self.send_error(404)
                return
            path = (self.path[len(prefix) :] or "/") if strips else self.path
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            connection = http.client.HTTPConnection("127.0.0.1", behind.http_port, timeout=60)
            connection.request(self.command, path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name not in ("content-length", "date", "server"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Nothing: tests print enough."""

    with served(Handler) as address:
        yield f"{address}{prefix}"


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("strips", [True, False])
def test_the_page_behind_a_prefix(
    browser: Chrome, open_to_all: Service, lines: list[str], strips: bool, slash: str
) -> None:
    with gateway(open_to_all, "/ocr", strips=strips) as address:
        _reads(browser, address + slash, lines)


def test_the_page_behind_a_prefix_that_the_service_does_not_know(
    browser: Chrome, service: Service, lines: list[str]
) -> None:
    with gateway(service, "/any/where", strips=True) as address:
        _reads(browser, address + "/", lines)


def test_the_page_asks_the_model_by_its_name(browser: Chrome, lines: list[str], tmp_path: Path) -> None:
    with services.all_in_one(tmp_path / "log", "--model_name", "receipts") as other:
        _reads(browser, other.url, lines)


def _reads(browser: Chrome, address: str, lines: list[str]) -> None:
    browser.get(address)
    browser.find_element(By.ID, "file").send_keys(str(IMAGE))
    WebDriverWait(browser, 60).until(lambda page: page.find_elements(By.CSS_SELECTOR, "#lines .text"))
    assert [each.text for each in browser.find_elements(By.CSS_SELECTOR, "#lines .text")] == lines
