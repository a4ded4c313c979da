"""curl, as people type it first: what is read, and what a refusal says."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests import needs
from tests.services import Service

PREDICT, INFER = "/v1/models/ppocr:predict", "/v2/models/ppocr/infer"
#: Commands that refusals showed.
LINES: set[str] = set()


def curl(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Status, head and body of the last answer."""
    command = [needs.program("curl"), "-s", "-D", "head", "-w", "%{http_code}", "-o", "body", *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    body = (folder / "body").read_text() if (folder / "body").exists() else ""
    return int(run.stdout), (folder / "head").read_text(), body


def texts(body: str) -> list[list[str]]:
    return [[line["text"] for line in page["lines"]] for page in json.loads(body)["predictions"]]


def predict(service: Service) -> str:
    return service.url + PREDICT


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


def test_a_form_without_files(service: Service, lines: list[str], folder: Path) -> None:
    (folder / "image.b64").write_bytes(base64.b64encode((folder / "image.jpg").read_bytes()))
    escaped = ("--data-urlencode", "image@image.b64", "-d", "text_rec_score_thresh=0")
    status, _, body = curl(folder, *escaped, predict(service))
    assert (status, texts(body)) == (200, [lines])


#: What is sent → where, and what the answer says of it. Each answer shows a line that works, which is tried.
MISTAKES: dict[str, tuple[list[str], str, str]] = {
    "nothing": (["--data-binary", ""], PREDICT, "the body is empty"),
    "text": (["-d", "hello"], PREDICT, "not an image"),
    "hexadecimal": (["-d", "ffd8ffe0"], PREDICT, "not an image"),
    "line breaks left out": (["-d", "@image.jpg"], PREDICT, "curl's -d leaves line breaks out"),
    "a PDF": (["--data-binary", "%PDF-1.4"], PREDICT, "a PDF document"),
    "another member": (["-d", '{"image": "YQ=="}'], PREDICT, "an object with 'image', has no list 'instances'"),
    "a list": (["-d", '[{"image": "YQ=="}]'], PREDICT, "the body is a list"),
    "single quotes": (["-d", "{'instances': []}"], PREDICT, "not JSON: unexpected text at character 1"),
    "a URL": (
        ["-d", '{"instances": ["https://example.com/a.jpg"]}'],
        PREDICT,
        "it begins with 'https://exam'; URLs and paths",
    ),
    "Python's bytes": (["-d", """{"instances": ["b'/9j/'"]}"""], PREDICT, "Python's notation of bytes"),
    "pixels": (["-d", '{"instances": [[[1, 2, 3]]]}'], PREDICT, "instance 0 must be of the form"),
    "no instances": (["-d", '{"instances": []}'], PREDICT, "0 images, and must have 1 to 32"),
    "a parameter beside": (["-d", '{"instances": ["YQ=="], "columns": true}'], PREDICT, "belongs in 'parameters'"),
    "a parameter of no kind": (
        ["--data-binary", "@image.jpg"],
        f"{PREDICT}?lang=de",
        "unknown parameter 'lang'; known are",
    ),
    "a parameter of a wrong value": (
        ["--data-binary", "@image.jpg"],
        f"{PREDICT}?columns=two",
        "must be true or false",
    ),
    "a form of names": (["-F", "file=image.jpg"], PREDICT, "no file and no field with base64; its fields are 'file'"),
    "a form of parameters": (["-F", "return_word_box=true"], PREDICT, "curl -F file=@image.jpg"),
    "XML": (["-H", "Content-Type: application/xml", "-d", "<a/>"], PREDICT, "content type 'application/xml'"),
    "another encoding": (
        ["-H", "Content-Encoding: br", "--data-binary", "@image.jpg"],
        PREDICT,
        "send gzip or deflate",
    ),
    "no gzip": (["-H", "Content-Encoding: gzip", "--data-binary", "@image.jpg"], PREDICT, "not gzip data"),
    "PUT": (["-T", "image.jpg"], PREDICT, "takes POST"),
    "DELETE": (["-X", "DELETE"], PREDICT, "takes POST"),
    "the model alone": (["--data-binary", "@image.jpg"], "/v1/models/ppocr", "takes GET; images are read by"),
    "the page": (["--data-binary", "@image.jpg"], "/", "takes GET; images are read by"),
    "a path that there is not": (
        ["--data-binary", "@image.jpg"],
        "/predict",
        "nothing is served at '/predict'; images are",
    ),
    "a slash": (["--data-binary", "@image.jpg"], "/v1/models/ppocr/predict", "images are read by"),
    "another model": (["--data-binary", "@image.jpg"], "/v1/models/ocr:predict", "served are: ppocr"),
    "V2 without a body": (["--data-binary", ""], INFER, "the request is empty"),
    "V2 as V1": (["-d", '{"instances": []}'], INFER, "a list 'inputs'"),
    "V2's input": (
        ["-d", '{"inputs": [{"name": "x", "datatype": "BYTES"}]}'],
        INFER,
        "input 'x' is unknown; inputs are image",
    ),
    "V2's type": (["-d", '{"inputs": [{"name": "image", "datatype": "FP32"}]}'], INFER, "must be BYTES or UINT8"),
    "V2 as a form": (["-F", "file=@image.jpg"], INFER, "tensors don't come as a form"),
    "NIM's member": (["-d", '{"images": []}'], "/v1/infer", "the body must be"),
    "a file for PaddleX": (["--data-binary", "@image.jpg"], "/ocr", "the body is an image file, and must be JSON"),
    "a form for PaddleX": (["-F", "file=@image.jpg"], "/ocr", "the body is a form, and must be JSON"),
}


@pytest.mark.parametrize(("arguments", "path", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_refusal_says_what_was_found_and_shows_a_line(
    service: Service, folder: Path, arguments: list[str], path: str, says: str
) -> None:
    status, _, body = curl(folder, *arguments, service.url + path)
    answer = json.loads(body)
    sentence = answer.get("error") or answer["errorMsg"]
    assert status in (400, 404, 405, 415, 422)
    assert says in sentence
    line = re.search(r"(\(printf .*)?curl .*", sentence.replace("curl's", ""))
    assert line is not None, sentence
    assert service.url in line[0]
    LINES.add(line[0])


def test_the_lines_that_refusals_show_work(service: Service, folder: Path) -> None:
    """Few different ones: each is run once. It comes after the tests that gather them."""
    if not LINES:
        pytest.skip("the tests that gather them were not chosen")
    for line in sorted(LINES):
        run = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=120, check=True)
        assert "LIAN HING STATIONERY SDN BHD" in run.stdout, line
    assert 4 <= len(LINES) < 8
