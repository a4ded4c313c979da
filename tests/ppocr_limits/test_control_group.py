"""A process in a control group knows the group's limit, whatever the machine has."""

from __future__ import annotations

import subprocess
import sys

from tests.control_group import MIB, control_group

#: Waits for a line, so that it is in its group before it looks.
PROGRAM = "input(); from ppocr_limits.memory import memory_limit; print(memory_limit())"


def test_the_group_s_limit_counts() -> None:
    with control_group(300 * MIB) as group:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if group is not None:
            group.add(process.pid)
        out, _ = process.communicate("\n", timeout=30)
    if group is None:  # this machine lets us make none: then there is at least a number
        assert int(out) > 300 * MIB
    else:
        assert int(out) == 300 * MIB
