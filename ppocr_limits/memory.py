"""The memory available to this process: the minimum of the container's, the process' and the machine's limit."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

#: The part of the memory that requests may take together; less if the networks are in the same process. The rest is for
#: the program itself, and for what is held for a moment only, such as a body that is put together from its parts.
FOR_REQUESTS, BESIDE_NETWORKS = 0.6, 0.4

#: Bytes from which a block has pages of its own.
LARGE = 256 << 10
_M_MMAP_THRESHOLD = -3  # glibc's malloc.h

_CGROUP = Path("/sys/fs/cgroup")


def for_requests(configured: int, part: float = FOR_REQUESTS) -> int:
    """Bytes that requests may take together: those that were configured, else `part` of what there is."""
    return configured or int(memory_limit() * part)


def memory_limit() -> int:
    """Bytes. The smallest of the machine's memory, the limits of the control groups, and the process' address space."""
    if sys.platform != "linux":
        import psutil  # comes with KServe

        return int(psutil.virtual_memory().total)
    import resource  # Windows has none

    limits = [_machine(), *_control_groups()]
    of_process = resource.getrlimit(resource.RLIMIT_AS)[0]
    if of_process != resource.RLIM_INFINITY:
        limits.append(of_process)
    return min(limits)


def resident() -> int:
    """Bytes that this process holds now."""
    if sys.platform != "linux":
        import psutil

        return int(psutil.Process().memory_info().rss)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def keep_level() -> None:
    """Has the C library return every large block to the system when it is freed, from now on.

    Left to itself it does so for blocks above a size that grows with what was freed, to 32 MiB. Smaller ones then come from
    heaps in which kernels of networks, which stay, leave holes that the next block doesn't fit into: over thousands of
    images of mixed sizes that came to some 5 % of the memory.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # a C library without it; Windows
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)


def release_freed() -> None:
    """Has the C library return what was freed in small blocks to the system. Takes up to some tenths of a second."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # a C library without it; Windows
        ctypes.CDLL(None).malloc_trim(0)


def _machine() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    raise ValueError("/proc/meminfo has no MemTotal")


def _control_groups() -> Iterator[int]:
    """The limits of the group that this process is in and of those above it, versions 1 and 2.

    In a container the own group is usually the root; if a container is shown its path on the host, it isn't there, and
    what counts is the root again.
    """
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            root, name = _CGROUP / "memory", "memory.limit_in_bytes"
        elif not controllers:
            root, name = _CGROUP, "memory.max"
        else:
            continue
        own = PurePosixPath(path.lstrip("/"))
        for group in (own, *own.parents):
            try:
                yield int((root / group / name).read_text())
            except (OSError, ValueError):  # "max", or no such group
                continue
