"""The output of `ppocr read`: texts or JSON Lines on standard output, errors and progress on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from ppocr_api.document import Line, Page

_BAR = 24


def as_json(name: str, page: Page) -> str:
    """One line of JSON Lines: the file's name, then what the service's V1 route answers for an image."""
    entry: dict[str, Any] = {
        "file": name,
        "lines": [_line(line) for line in page.lines],
        "width": page.width,
        "height": page.height,
        "model": page.model,
    }
    if page.angle:
        entry["angle"] = page.angle
    if page.warnings:
        entry["warnings"] = page.warnings
    return json.dumps(entry, ensure_ascii=False)


def _line(line: Line) -> dict[str, Any]:
    entry: dict[str, Any] = {"text": line.text, "confidence": line.confidence, "points": line.points}
    if line.angle:
        entry["angle"] = line.angle
    if line.words is not None:
        entry["words"] = [vars(word) for word in line.words]
    return entry


class Output:
    """Writes pages in order. With `several` images each text follows its file's name, as with `head`."""

    def __init__(self, json_lines: bool, several: bool) -> None:
        self._json_lines = json_lines
        self._headed = several and not json_lines
        self._first = True

    def write(self, name: str, page: Page) -> None:
        """Raises BrokenPipeError if the reader of the output has gone."""
        text = as_json(name, page) if self._json_lines else page.text
        if self._headed:
            text = f"{'' if self._first else chr(10)}==> {name} <=={chr(10) if text else ''}{text}"
        self._first = False
        if text:
            print(text, flush=True)


class Progress:
    """A bar on standard error while many images are read; nothing if that is not a terminal."""

    def __init__(self, total: int, stream: TextIO = sys.stderr) -> None:
        self._total = total
        self._stream = stream
        self._done = 0
        self._shown = total > 1 and stream.isatty()

    def clear(self) -> None:
        """Makes room for a line of output on the same terminal."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def step(self) -> None:
        """Counts one more image and draws the bar again; the last one takes it away."""
        self._done += 1
        if self._shown and self._done < self._total:
            filled = _BAR * self._done // self._total
            self._stream.write(f"\r[{'#' * filled}{' ' * (_BAR - filled)}] {self._done}/{self._total}")
            self._stream.flush()
