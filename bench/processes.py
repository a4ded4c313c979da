"""Starting programs, ending them with all they started, and the memory of a whole process tree (Linux, /proc)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


class Program:
    """A started program in a process group of its own; what it writes to stderr is kept for the error message."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environ: Mapping[str, str] | None = None,
        pipes: bool = False,
        cwd: Path = Path(__file__).parents[1],
    ):
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipes else self.log,
            stderr=self.log,
            env={**os.environ, **(environ or {})},
            cwd=cwd,
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )

    def ask(self, line: str) -> str:
        """Writes one line and waits for one line."""
        stdin, stdout = _there(self.process.stdin), _there(self.process.stdout)
        stdin.write(line + "\n")
        stdin.flush()
        return self.listen(stdout)

    def listen(self, stdout: IO[str] | None = None) -> str:
        answer = (stdout or _there(self.process.stdout)).readline()
        if not answer:
            raise RuntimeError(f"{self.process.args!r} ended:\n{self.tail()}")
        return answer

    def tail(self, size: int = 3000) -> str:
        self.log.seek(0)
        return self.log.read().decode("utf-8", errors="replace")[-size:]

    def stop(self, seconds: float = 30) -> None:
        """SIGTERM to the group, and SIGKILL to what is left after `seconds`."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.log):
            if pipe is not None:
                pipe.close()


def _there(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("the program was started without pipes")
    return pipe


def end_on_sigterm() -> None:
    """SIGTERM unwinds the stack as Ctrl-C does, so that what was started, in sessions of its own, is stopped too."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def tree(pid: int) -> Iterator[int]:
    """`pid` and all its descendants that are alive."""
    yield pid
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                    yield from tree(int(child))


def resident_bytes(*pids: int) -> int:
    """Resident memory of the trees under `pids`, added up: pages that two processes share count twice."""
    total = 0
    for root in pids:
        for pid in tree(root):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return total


def cpu_seconds(*pids: int) -> float:
    """CPU time, user and system, that the living processes of the trees under `pids` have used so far."""
    ticks = 0
    for root in pids:
        for pid in tree(root):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                # After the name, which is in brackets and may hold spaces, come fields 3 and on; 14 is utime, 15 stime.
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


class Usage:
    """What process trees use while the block runs: `with Usage(pid) as usage: …; usage.peak_bytes, usage.cpu`."""

    def __init__(self, *pids: int, period: float = 0.2):
        self.peak_bytes, self.cpu = 0, 0.0
        self._pids, self._period, self._over = pids, period, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while True:
            self.peak_bytes = max(self.peak_bytes, resident_bytes(*self._pids))
            if self._over.wait(self._period):
                return

    def __enter__(self) -> Self:
        self._before = cpu_seconds(*self._pids)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self.cpu = cpu_seconds(*self._pids) - self._before
        self.peak_bytes = max(self.peak_bytes, resident_bytes(*self._pids))
