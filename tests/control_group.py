"""A memory limit as a container has it: a process in a control group of its own, where this machine lets us make one."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
MIB = 1 << 20


@dataclass(frozen=True)
class ControlGroup:
    """`path` is the group's folder; `limit` and `peak` are the names of its files, which versions 1 and 2 call differently."""

    path: Path
    limit: str
    peak: str

    def add(self, pid: int) -> None:
        """Puts a process in, and what it starts from now on."""
        (self.path / "cgroup.procs").write_text(str(pid))

    def peak_bytes(self) -> int:
        """The most that was held at a time, with cached files."""
        return int((self.path / self.peak).read_text())


@contextlib.contextmanager
def control_group(limit: int) -> Iterator[ControlGroup | None]:
    """A group of `limit` bytes, or None where no group can be made: the caller then compares the process' own peak."""
    group = _made(limit)
    try:
        yield group
    finally:
        if group is not None:
            with contextlib.suppress(OSError):  # a process that is ending still counts
                group.path.rmdir()


def peak_bytes(pid: int) -> int:
    """The most memory that a process has held at a time, by the kernel's own account."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _made(limit: int) -> ControlGroup | None:
    name = f"ppocr-test-{uuid.uuid4().hex[:12]}"
    for group in (
        ControlGroup(_ROOT / "memory" / name, "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
        ControlGroup(_ROOT / name, "memory.max", "memory.peak"),
    ):
        try:
            group.path.mkdir()
            (group.path / group.limit).write_text(str(limit))
            group.peak_bytes()
        except OSError:
            with contextlib.suppress(OSError):
                group.path.rmdir()
            continue
        return group
    return None
