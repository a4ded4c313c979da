"""`ppocr read` as a process, in front of the real service and with the networks in its own process."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ppocr_cli.read import ReadSettings
from tests.services import Service

DATA = Path(__file__).parents[1] / "data"
RECEIPT = DATA / "075.jpg"
COMMAND = [sys.executable, "-m", "ppocr", "read"]


def read(*arguments: str | Path, data: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=data,
        capture_output=True,
        timeout=120,
        env={**os.environ, **environ},
        check=False,
    )


def test_prints_the_text(service: Service) -> None:
    done = read("--url", service.url, RECEIPT)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "LIAN HING STATIONERY SDN BHD" in done.stdout.decode().splitlines()


def test_in_process_and_by_the_service_read_the_same(service: Service) -> None:
    here, there = read("--json", RECEIPT), read("--json", "--url", service.url, RECEIPT)
    assert here.returncode == 0, here.stderr.decode()
    assert json.loads(here.stdout) == json.loads(there.stdout)


def test_standard_input(service: Service) -> None:
    done = read("-", "--url", service.url, data=RECEIPT.read_bytes())
    assert "LIAN HING STATIONERY SDN BHD" in done.stdout.decode().splitlines()


def test_a_folder_comes_sorted_each_text_under_its_name(service: Service) -> None:
    done = read(DATA, "--jobs=2", PPOCR_URL=service.url)
    headings = [line for line in done.stdout.decode().splitlines() if line.startswith("==> ")]
    assert headings == [f"==> {path} <==" for path in sorted(DATA.glob("*.jpg"))]


def test_json_is_one_object_a_line(service: Service) -> None:
    done = read("--json", DATA, "--return_word_box", "--url", service.url)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert [entry["file"] for entry in entries] == [str(path) for path in sorted(DATA.glob("*.jpg"))]
    line = entries[0]["lines"][0]
    assert set(entries[0]) == {"file", "lines", "width", "height", "model"}
    assert set(line) == {"text", "confidence", "points", "words"}
    assert "".join(word["text"] for word in line["words"]) == line["text"].replace(" ", "")


def test_no_file_name_and_no_locale_ends_it(service: Service, tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff\xe4.jpg"
    shutil.copy(os.fsencode(RECEIPT), odd)
    done = read("--json", tmp_path, "--url", service.url, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr.decode()
    assert os.fsencode(json.loads(done.stdout.decode("utf-8"))["file"]) == odd
    assert read(tmp_path, tmp_path, "--url", service.url, PYTHONIOENCODING="ascii").returncode == 0


def test_parameters_reach_the_service(service: Service) -> None:
    everything = read(RECEIPT, "--url", service.url)
    sure = read(RECEIPT, "--url", service.url, "--text_rec_score_thresh=0.999")
    assert 0 < len(sure.stdout.splitlines()) < len(everything.stdout.splitlines())


def test_what_fails_is_said_and_the_rest_is_read(service: Service, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"not an image")
    done = read(bad, tmp_path / "missing.jpg", RECEIPT, "--url", service.url)
    assert done.returncode == 1
    said = done.stderr.decode().splitlines()
    assert len(said) == 2
    assert said[0].startswith(f"ppocr read: {bad}: ")
    assert said[1] == f"ppocr read: {tmp_path}/missing.jpg: No such file or directory"
    assert b"LIAN HING" in done.stdout


def test_a_service_that_is_away_is_a_sentence() -> None:
    done = read(RECEIPT, "--url", "http://127.0.0.1:9", "--timeout", "1")
    assert done.returncode == 1
    assert "http://127.0.0.1:9 can't be reached" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], "IMAGE"),
        (["a.png", "--text_det_thresh", "7"], "text_det_thresh"),
        (["a.png", "--text_det_thresh", "nan"], "text_det_thresh"),
        (["a.png", "--jobs", "0"], "PPOCR_JOBS"),
        (["a.png", "--jobs", "9" * 5000], "--jobs"),
        (["a.png", "b.png", "--annotate", "out.png"], "--annotate"),
        (["a.png", "--jsn"], "--json"),
        (["a.png", "--return-wordbox"], "--return_word_box"),
        (["a.png", "--js"], "--js"),
        (["https://example.org/a.png"], "curl -s https://example.org/a.png | ppocr read -"),
        (["HTTP://example.org/a.png?b=c&d=e"], "curl -s 'HTTP://example.org/a.png?b=c&d=e' | ppocr read -"),
    ],
)
def test_wrong_usage_is_code_2_and_a_sentence(arguments: list[str], names: str) -> None:
    done = read(*arguments)
    assert done.returncode == 2
    said = done.stderr.decode().splitlines()[-1]
    assert names in said
    assert len(said) < 300


@pytest.mark.parametrize("name", ["json", "recursive", "url", "return_word_box"])
def test_a_bare_word_is_a_file_whatever_it_is_called(service: Service, tmp_path: Path, name: str) -> None:
    shutil.copy(RECEIPT, tmp_path / name)
    done = subprocess.run(
        [*COMMAND, "--url", service.url, name], cwd=tmp_path, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "LIAN HING STATIONERY SDN BHD" in done.stdout.decode().splitlines()


def test_a_folder_called_like_a_url_is_read(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "http:" / "x"
    folder.mkdir(parents=True)
    shutil.copy(RECEIPT, folder)
    done = subprocess.run(
        [*COMMAND, "--url", service.url, "http://x"], cwd=tmp_path, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_a_misspelt_variable_is_said(service: Service) -> None:
    done = read(RECEIPT, "--url", service.url, PPOCR_TIMEOUTS="5")
    assert done.returncode == 0
    assert "PPOCR_TIMEOUT?" in done.stderr.decode()


def test_annotate_draws_a_png_an_image(service: Service, tmp_path: Path) -> None:
    one = read(RECEIPT, "--url", service.url, "--annotate", tmp_path / "one.png")
    assert one.returncode == 0, one.stderr.decode()
    several = read(DATA, "--url", service.url, "--annotate", tmp_path / "all")
    assert several.returncode == 0, several.stderr.decode()
    drawn = [tmp_path / "one.png", *sorted((tmp_path / "all").iterdir())]
    assert [path.name for path in drawn] == ["one.png", *(f"{path.name}.png" for path in sorted(DATA.glob("*.jpg")))]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_a_reader_that_left_ends_it_quietly(service: Service, tmp_path: Path) -> None:
    for index in range(12):
        shutil.copy(RECEIPT, tmp_path / f"{index:02}.jpg")
    with subprocess.Popen(
        [*COMMAND, str(tmp_path), "--url", service.url, "--jobs", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


def test_ctrl_c_ends_it_quietly(service: Service, tmp_path: Path) -> None:
    for index in range(200):
        shutil.copy(RECEIPT, tmp_path / f"{index:03}.jpg")
    # What a shell starts in the background ignores SIGINT, and so do its children, unless somebody handles it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        command = [*COMMAND, str(tmp_path), "--url", service.url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(60) == 130
        assert process.stderr.read() == b""


def test_every_option_is_documented() -> None:
    documented = (DATA.parents[1] / "docs" / "cli.md").read_text()
    for field in dataclasses.fields(ReadSettings):
        assert re.search(rf"`--{field.name}\b", documented), field.name
