"""curl, as people type it first: what is read, and what a refusal says."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests import needs
from tests.services import Service


def curl(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Status, head and body of the last answer."""
    command = [needs.program("curl"), "-s", "-D", "head", "-w", "%{http_code}", "-o", "body", *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    body = (folder / "body").read_text() if (folder / "body").exists() else ""
    return int(run.stdout), (folder / "head").read_text(), body


def texts(body: str) -> list[list[str]]:
    return [[line["text"] for line in page["lines"]] for page in json.loads(body)["predictions"]]


def predict(service: Service) -> str:
    return f"{service.url}/v1/models/ppocr:predict"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["-H", "Content-Type:"],
        ["-H", "Content-Type: application/octet-stream"],
        ["-H", "Content-Type: application/json"],
        ["-H", "Content-Type: text/plain"],
        ["-H", "Transfer-Encoding: chunked"],
        ["-H", "Expect: 100-continue"],
        ["--http1.0"],
    ],
    ids=" ".join,
)
def test_a_file_under_any_content_type(service: Service, lines: list[str], folder: Path, headers: list[str]) -> None:
    status, _, body = curl(folder, *headers, "--data-binary", "@image.jpg", predict(service))
    assert (status, texts(body)) == (200, [lines])


def test_a_form_of_several_files_and_parameters(service: Service, lines: list[str], folder: Path) -> None:
    fields = ("-F", "a=@image.jpg", "-F", "b=@image.jpg;type=text/plain", "-F", "text_rec_score_thresh=0.99")
    status, _, body = curl(folder, *fields, predict(service))
    assert status == 200
    first, second = texts(body)
    assert first == second
    assert 0 < len(first) < len(lines)


def test_a_form_that_is_wrong_says_which_file(service: Service, folder: Path) -> None:
    (folder / "bad.jpg").write_bytes(b"not an image")
    status, _, body = curl(folder, "-F", "file=@image.jpg", "-F", "file=@bad.jpg", predict(service))
    assert (status, "file 1 (bad.jpg)" in body) == (400, True)
    status, _, body = curl(folder, *["-F", "file=@image.jpg"] * 33, predict(service))
    assert (status, "33 images" in body) == (400, True)


def test_get_on_predict_shows_a_line_that_works(service: Service, lines: list[str], folder: Path) -> None:
    status, head, body = curl(folder, predict(service))
    assert status == 405
    assert "allow: POST" in head.lower().replace("post", "POST")
    line = re.search(r"curl .*", json.loads(body)["error"])
    assert line is not None
    assert texts(subprocess.check_output(["bash", "-c", line[0]], cwd=folder, text=True)) == [lines]


def test_a_model_that_is_not_there_names_those_that_are(service: Service, folder: Path) -> None:
    for path in ("v1/models/nope:predict", "v2/models/nope/infer"):
        status, _, body = curl(folder, "--data-binary", "@image.jpg", f"{service.url}/{path}")
        assert status == 404
        assert "'nope'" in body and "served are: ppocr" in body


@pytest.mark.parametrize("path", ["/", "/healthz", "/v2/health/live", "/v2/health/ready", "/v1/models", "/metrics"])
def test_head(service: Service, folder: Path, path: str) -> None:
    status, head, body = curl(folder, "-I", service.url + path)
    assert (status, body in ("", head)) == (200, True)
    status, _, body = curl(folder, "-I", predict(service))
    assert status == 405


def test_packed_bodies_and_a_bomb(service: Service, lines: list[str], folder: Path) -> None:
    (folder / "packed").write_bytes(gzip.compress((folder / "image.jpg").read_bytes()))
    encoded = ("-H", "Content-Encoding: gzip", "--data-binary", "@packed", predict(service))
    status, _, body = curl(folder, *encoded)
    assert (status, texts(body)) == (200, [lines])
    before = service.rss_bytes()
    (folder / "packed").write_bytes(gzip.compress(bytes(1_000_000_000), 1))
    status, _, body = curl(folder, *encoded)
    assert (status, "at most" in body) == (413, True)
    assert service.rss_bytes() - before < 250_000_000  # the limit of a body, and what is joined of it
    status, head, body = curl(folder, "-H", "Content-Encoding: br", "--data-binary", "@packed", predict(service))
    assert status == 415
    assert "accept-encoding: gzip, deflate" in head.lower()


def test_a_slash_at_the_end(service: Service, lines: list[str], folder: Path) -> None:
    status, _, body = curl(folder, "--data-binary", "@image.jpg", f"{predict(service)}/")
    assert (status, texts(body)) == (200, [lines])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data-binary", ""], "the body is empty"),
        (["-d", "hello"], "not an image"),
        (["-d", '{"image": "YQ=="}'], "no list 'instances'"),
        (["-d", '{"instances": ["https://example.com/a.jpg"]}'], "URLs and paths are not read"),
        (["-H", "Content-Type: application/xml", "-d", "<a/>"], "curl --data-binary @image.jpg http://127.0.0.1"),
        (["-F", "return_word_box=true"], "curl -F file=@image.jpg http://127.0.0.1"),
    ],
)
def test_a_refusal_says_what_is_taken(service: Service, folder: Path, arguments: list[str], says: str) -> None:
    status, _, body = curl(folder, *arguments, predict(service))
    assert status in (400, 415)
    assert says in json.loads(body)["error"]
