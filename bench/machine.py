"""What the results depend on: the CPU, its vector instructions, the cores that may be used, their load."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

#: Name in the table → flags of /proc/cpuinfo, all of which it needs.
EXTENSIONS = {
    "AVX2": ("avx2", "fma"),
    "AVX-512": ("avx512f", "avx512bw", "avx512vl"),
    "AVX-512 bf16": ("avx512_bf16",),
    "AMX": ("amx_tile", "amx_bf16"),
}


@dataclass(frozen=True)
class Machine:
    cpu: str
    cores: int
    extensions: dict[str, bool]
    memory_bytes: int
    kernel: str
    #: Average number of runnable tasks over the minute before the benchmark; above 0.5 the figures suffer.
    load: float

    def sentence(self) -> str:
        has = ", ".join(f"{name} {'yes' if there else 'no'}" for name, there in self.extensions.items())
        busy = f"; load before the run {self.load:.1f}, so the figures are rough" if self.load > 0.5 else ""
        return f"{self.cpu}, {self.cores} cores used, {self.memory_bytes / 2**30:.0f} GiB; {has}{busy}"


def machine(cpuinfo: str | None = None) -> Machine:
    """Facts of this machine. `cpuinfo` stands in for the text of /proc/cpuinfo."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if cpuinfo is None else cpuinfo
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = set(fields.get("flags", "").split())
    family = f" (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')})"
    return Machine(
        cpu=fields.get("model name", platform.processor() or "unknown CPU") + family,
        cores=len(os.sched_getaffinity(0)),
        extensions={name: flags.issuperset(needs) for name, needs in EXTENSIONS.items()},
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=platform.release(),
        load=os.getloadavg()[0],
    )


def keep_to_cores(count: int) -> None:
    """Restricts this process, and whatever it starts from now on, to the first `count` of its cores."""
    allowed = sorted(os.sched_getaffinity(0))
    if count > len(allowed):
        raise SystemExit(f"--cores is {count}, and this process may use {len(allowed)}")
    os.sched_setaffinity(0, allowed[:count])
