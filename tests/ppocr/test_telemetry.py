"""What a log line looks like whatever a caller sent."""

from __future__ import annotations

import json
import logging

import pytest

from ppocr import telemetry

HOSTILE = "GET /a\r\n2026-01-01 ERROR forged \x1b[31m\u202e\x00\ud800 中文"


@pytest.fixture(params=["text", "json"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_no_text_of_a_caller_makes_a_second_line(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        telemetry.configure_logging("info", form)
        logging.getLogger("ppocr.access").info("%s", HOSTILE)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.isprintable()
    assert "中文" in line
    if form == "json":
        assert json.loads(line)["message"] == telemetry.printable(HOSTILE)
    else:
        assert r"/a\r\n2026" in line and r"\x1b[31m" in line


def test_a_trace_keeps_its_lines(capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        telemetry.configure_logging("info", "text")
        try:
            raise ValueError("inside")
        except ValueError as error:
            logging.getLogger("ppocr.serving").error("unexpected error", exc_info=error)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    lines = capfd.readouterr().err.splitlines()
    assert lines[1].startswith("  Traceback") and lines[-1] == "  ValueError: inside"
