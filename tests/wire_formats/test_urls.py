"""Images by URL on a real service, whose operator listed a host that leads to this machine: it isn't asked."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from tests import services
from tests.services import Service
from tests.small_server import serving

ASKED: list[str] = []


class Inside(BaseHTTPRequestHandler):
    """A server on this machine, as there are many beside a service."""

    def do_GET(self) -> None:
        ASKED.append(self.path)
        self.send_error(404)


@pytest.fixture(scope="module")
def inside() -> Iterator[str]:
    with serving(Inside) as address:
        yield address


@pytest.fixture(scope="module")
def listed(inside: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with services.all_in_one(tmp_path_factory.mktemp("urls") / "log", "--url_hosts", inside) as running:
        yield running


def ask(service: Service, url: str) -> list[tuple[int, str]]:
    """Status and sentence of PaddleX' and NVIDIA's formats."""
    paddlex = httpx.post(f"{service.url}/ocr", json={"file": url, "visualize": False}, timeout=30)
    nim = httpx.post(f"{service.url}/v1/infer", json={"input": [{"type": "image_url", "url": url}]}, timeout=30)
    return [(paddlex.status_code, paddlex.json()["errorMsg"]), (nim.status_code, nim.json()["error"])]


def test_a_listed_host_that_leads_inside_is_not_asked(listed: Service, inside: str) -> None:
    (first, sentence), (second, other) = ask(listed, f"{inside}/a.png")
    assert (first, second) == (422, 400)
    assert "Invalid input file: 'localhost' has no public address" in sentence
    assert "input 0: 'localhost' has no public address" in other
    assert ASKED == []


def test_other_hosts_are_refused_by_name(listed: Service) -> None:
    for _, sentence in ask(listed, "http://127.0.0.1:80/a.png"):
        assert "images are not fetched from '127.0.0.1'" in sentence


def test_without_a_list_nothing_is_fetched(service: Service, inside: str) -> None:
    for _, sentence in ask(service, f"{inside}/a.png"):
        assert "URLs are not accepted" in sentence
    assert ASKED == []
