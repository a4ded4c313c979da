"""The bar on a terminal, and the shape of what is printed."""

from __future__ import annotations

import io
import json

import pytest

from ppocr_cli.output import Output, Progress, as_json
from ppocr_client import Line, Page, Word
from ppocr_client.v1 import page_of

BOX = ((1.0, 2.0), (9.0, 2.0), (9.0, 5.0), (1.0, 5.0))
PAGE = Page(
    (Line("one two", 0.75, BOX, words=(Word("one", 0.5, BOX),)), Line("three", 1.0, BOX, 180.0)), 10, 20, "m/1", 90
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_is_what_the_v1_route_answers_and_the_file() -> None:
    read = json.loads(as_json("a.png", PAGE))
    assert read.pop("file") == "a.png"
    assert page_of(read) == PAGE
    assert "words" not in read["lines"][1]


def test_one_image_is_printed_bare_and_several_under_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json_lines=False, several=False).write("a.png", PAGE)
    assert capsys.readouterr().out == "one two\nthree\n"
    output = Output(json_lines=False, several=True)
    output.write("a.png", PAGE)
    output.write("b.png", Page((), 1, 1, "m/1"))
    assert capsys.readouterr().out == "==> a.png <==\none two\nthree\n\n==> b.png <==\n"


def test_progress_is_drawn_on_a_terminal_and_cleared_at_the_end() -> None:
    terminal = Terminal()
    progress = Progress(2, terminal)
    progress.step()
    assert terminal.getvalue().endswith("] 1/2")
    progress.clear()
    progress.step()
    assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("stream", "total"), [(io.StringIO(), 5), (Terminal(), 1)])
def test_no_progress_in_a_pipe_or_for_one_image(stream: io.StringIO, total: int) -> None:
    progress = Progress(total, stream)
    progress.step()
    progress.clear()
    assert stream.getvalue() == ""
