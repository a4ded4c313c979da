"""`python -m tests [PYTEST'S ARGUMENTS]`: what `make test` runs.

First comes what can share the machine, on several workers; then what is marked `alone`, since it measures times or memory.
The exit code is pytest's: that of the first part that failed, or 5 where neither found a test.
"""

import os
import subprocess
import sys

#: Each worker may run a service of its own, which takes about 1.5 GB.
WORKERS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
NO_TESTS = 5


def main(arguments: list[str]) -> int:
    parts = (["-n", str(WORKERS), "--dist", "loadfile", "-m", "not alone"], ["-m", "alone"])
    codes = [subprocess.call([sys.executable, "-m", "pytest", *options, *arguments]) for options in parts]
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    return failed[0] if failed else min(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
