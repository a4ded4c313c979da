from __future__ import annotations

import sys

import pytest

from bench.processes import Program, Usage, cpu_seconds, resident_bytes

#: Starts a child that holds 64 MiB and burns CPU until stdin ends; answers a line when the child is ready.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", '''
import sys, time
held = b"x" * 2**26
print("ready", flush=True)
end = time.process_time() + 0.3
while time.process_time() < end: pass
print("burnt", flush=True)
sys.stdin.read()
'''], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for line in child.stdout:
    print(line.strip(), flush=True)
"""


def test_memory_and_cpu_of_children_count() -> None:
    program = Program([sys.executable, "-c", PARENT], pipes=True)
    try:
        assert program.listen() == "ready\n"
        with Usage(program.process.pid, period=0.01) as usage:
            assert program.listen() == "burnt\n"
        assert usage.peak_bytes > 2**26
        assert 0.2 < usage.cpu < 2
        assert cpu_seconds(program.process.pid) >= 0.29
    finally:
        program.stop()
    assert resident_bytes(program.process.pid) == 0


def test_what_a_program_said_before_it_ended_is_in_the_error() -> None:
    program = Program([sys.executable, "-c", "raise SystemExit('no such model')"], pipes=True)
    with pytest.raises(RuntimeError, match="no such model"):
        program.listen()
    program.stop()
