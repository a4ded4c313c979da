"""What `ppocr serve` needs on Windows, as far as a machine without Windows can say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: What runs in `ppocr serve` and `ppocr read`.
ROOMS = (
    "ppocr",
    "ppocr_cli",
    "ppocr_grpc",
    "ppocr_limits",
    "ppocr_local",
    "ppocr_settings",
    "predictor",
    "transformer",
    "clients/python",
)
#: Modules and functions that Python lacks on Windows.
MODULES = {"fcntl", "grp", "pwd", "posix", "pty", "resource", "syslog", "termios", "tty", "uvloop"}
ATTRIBUTES = {
    **dict.fromkeys(("fork", "forkpty", "getuid", "geteuid", "getgid", "setsid", "killpg", "getpgid", "wait4"), "os"),
    **dict.fromkeys(("sysconf", "statvfs", "mkfifo", "chown", "sched_getaffinity", "sched_setaffinity", "nice"), "os"),
    **dict.fromkeys(("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "alarm", "sigwait"), "signal"),
    **dict.fromkeys(("AF_UNIX", "SO_REUSEPORT"), "socket"),
    "add_signal_handler": "loop",
}
#: Where such a name stands behind a question or an except: what asks.
GUARDED = {
    ("ppocr_limits/cpus.py", "sched_getaffinity"): 'hasattr(os, "sched_getaffinity")',
    ("ppocr/serving/server.py", "add_signal_handler"): "except NotImplementedError",
    ("predictor/repository/memory.py", "resource"): 'sys.platform != "linux"',
    ("ppocr_limits/memory.py", "resource"): 'sys.platform != "linux"',
    ("ppocr_limits/memory.py", "sysconf"): 'sys.platform != "linux"',
}


def names(tree: ast.AST) -> Iterator[str]:
    """Modules and attributes of a source that Windows lacks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            yield node.module or ""
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and ATTRIBUTES.get(node.attr) == node.value.id
        ):
            yield node.attr


def test_nothing_is_called_that_windows_lacks() -> None:
    found = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            source = path.read_text()
            place = str(path.relative_to(ROOT))
            for name in names(ast.parse(source)):
                assert GUARDED.get((place, name), "\0") in source, f"{place} uses {name} without asking first"
                found.add((place, name))
    assert found == set(GUARDED)


def test_what_reads_proc_asks_for_linux_first() -> None:
    """Files of Linux: read where they are missing on no system."""
    users = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if re.search(r'"/(proc|sys)/', path.read_text())
    }
    assert users == {"ppocr_limits/cpus.py", "ppocr_limits/memory.py", "predictor/repository/memory.py"}


def test_a_number_of_processors_and_memory_without_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import sys

    from ppocr_limits import cpus
    from predictor.repository import memory

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(cpus, "_QUOTA", Path("/there/is/none"))
    assert cpus.available_cpus() == os.cpu_count()
    assert memory.available() == sys.maxsize


#: How each package of requirements/serve.txt comes to Windows: "any" is pure Python, "win" has a wheel for win_amd64.
WHEELS = ROOT / "tests" / "data" / "windows_wheels.txt"


def test_every_dependency_has_a_wheel_for_windows() -> None:
    lock = (ROOT / "requirements" / "serve.txt").read_text()
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)(.*)$", lock, re.MULTILINE)
    locked = {(name, version) for name, version, marker in pinned if "sys_platform != 'win32'" not in marker}
    assert len(locked) > 30
    listed = set()
    for line in WHEELS.read_text().splitlines():
        if line and not line.startswith("#"):
            name, version, wheel = line.split()
            assert wheel.endswith(("-win_amd64.whl", "-any.whl")), line
            listed.add((name, version))
    assert locked - listed == set(), "add their wheels to tests/data/windows_wheels.txt: scripts/windows_wheels.py"
    assert listed - locked == set(), "no dependency any more"
