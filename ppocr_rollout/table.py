"""The output of `ppocr rollout`: a line per step on standard output, progress on standard error."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TextIO

from ppocr_rollout.counts import Counts

_HEAD = ("weight", "seconds", "stable", "canary", "success", "stable p95", "canary p95", "")
_WIDTHS = (6, 7, 7, 7, 8, 10, 10, 0)


@dataclass(frozen=True)
class Step:
    """One step as it ended: requests of both tracks in its time, and `fault` if the canary did worse than it must."""

    weight: int
    seconds: float
    stable: Counts
    canary: Counts
    fault: str | None

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            f"{self.weight} %",
            f"{self.seconds:.0f}",
            f"{self.stable.total:.0f}",
            f"{self.canary.total:.0f}",
            "-" if self.canary.success is None else f"{self.canary.success:.2%}",
            _milliseconds(self.stable.quantile(0.95)),
            _milliseconds(self.canary.quantile(0.95)),
            self.fault or "holds",
        )


class Table:
    """Writes steps below each other. A terminal also sees the step that runs."""

    def __init__(self, out: TextIO | None = None, progress: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._progress = progress or sys.stderr
        self._live = self._progress.isatty()

    def head(self) -> None:
        self._line(_HEAD)

    def step(self, step: Step) -> None:
        self._clear()
        self._line(step.cells)

    def running(self, step: Step, of: float) -> None:
        """Draws the unfinished step again; `of` is how many seconds it will take."""
        if self._live:
            self._progress.write(f"\r\x1b[K{_row((*step.cells[:-1], f'of {of:.0f} s'))}")
            self._progress.flush()

    def say(self, text: str) -> None:
        self._clear()
        print(text, file=self._out, flush=True)

    def _line(self, cells: tuple[str, ...]) -> None:
        print(_row(cells), file=self._out, flush=True)

    def _clear(self) -> None:
        if self._live:
            self._progress.write("\r\x1b[K")
            self._progress.flush()


def _row(cells: tuple[str, ...]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"
