"""Memory of this process: whether a second model fits, and giving back what a closed one leaves.

A process that needs more memory than its container has is killed, together with the version that serves. So a version that
can't fit is refused before it is loaded.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from pathlib import Path

from ppocr_api.errors import Unavailable
from ppocr_limits import memory
from predictor.bundle import MEMORY_PER_FILE_SIZE, Bundle

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)


def require(bundle: Bundle, estimate: int) -> None:
    """Raises Unavailable if the bundle's networks don't fit into the memory that is left.

    They take MEMORY_PER_FILE_SIZE times the size of their files when they are loaded, and in time as much as earlier versions:
    `estimate` bytes.
    """
    needed = max(MEMORY_PER_FILE_SIZE * bundle.network_bytes, estimate)
    left = available()
    if needed > left:
        raise Unavailable(
            f"{bundle.label} needs about {needed >> 20} MiB of memory, and {left >> 20} MiB are left: give the predictor "
            "more memory, or serve fewer versions at the same time"
        )


def available() -> int:
    """Bytes that this process can still take: what the machine, the container and the process' own limit leave.

    On systems without /proc, like Windows, it isn't known, and nothing is refused.
    """
    if sys.platform != "linux":
        return sys.maxsize
    import resource  # Windows has none

    left = [_number("/proc/meminfo", "MemAvailable:", 1024)]
    for limit, used, stat in _CGROUPS:
        with contextlib.suppress(OSError, ValueError):
            # Cached files count as used, but are dropped when memory is needed.
            cached = _number(stat, "inactive_file ", 1)
            left.append(int(Path(limit).read_text()) - int(Path(used).read_text()) + cached)
    limit_of_process = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit_of_process != resource.RLIM_INFINITY:
        left.append(limit_of_process - _number("/proc/self/status", "VmSize:", 1024))
    return max(0, min(left))


def release_freed() -> None:
    """Returns freed memory to the system: the C library would keep it for this process, some 100 MiB after a model."""
    gc.collect()
    memory.release_freed()


class MemoryEstimate:
    """Estimates how much memory a version takes in time, from the memory of those that serve.

    Memory grows with the number of input sizes that they have met, and the next version will meet the same ones. The memory
    of their kernels isn't proportional to the size of the files. Create this object before the first version is loaded.
    """

    def __init__(self) -> None:
        self._before = memory.resident()

    def per_version(self, versions: int) -> int:
        """Bytes per version, if `versions` are in memory; 0 if none is."""
        return max(0, memory.resident() - self._before) // versions if versions else 0


def _number(path: str, key: str, unit: int) -> int:
    for line in Path(path).read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * unit
    raise ValueError(f"{path} has no {key}")
