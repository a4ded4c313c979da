"""Transformer and predictor as two processes, each in a control group of its own, as a container's memory limit is one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import services
from tests.control_group import control_group
from tests.services import Service


@dataclass(frozen=True)
class Pair:
    """Both services, and how many bytes each may have."""

    transformer: Service
    predictor: Service
    limits: tuple[int, int]

    def check(self) -> None:
        """Both live, and within their memory. A control group kills what isn't."""
        for service, limit in zip((self.transformer, self.predictor), self.limits, strict=True):
            assert service.process.poll() is None
            assert service.peak_bytes() < limit
        assert self.transformer.is_ready()


@contextlib.contextmanager
def started(logs: Path, transformer: int, predictor: int, flags: Sequence[str] = ()) -> Iterator[Pair]:
    """Both within so many bytes, with `flags`."""
    with control_group(transformer) as ours, control_group(predictor) as its:
        # Where there are no groups the setting says what the limit would.
        memory = [] if ours else ["--request_memory_bytes", str(int(transformer * 0.6))]
        with (
            services.running(["predictor", "--host", "127.0.0.1", *flags], logs / "predictor", group=its) as networks,
            services.running(
                ["transformer", "--host", "127.0.0.1", "--predictor_host", networks.grpc, *flags, *memory],
                logs / "transformer",
                group=ours,
            ) as asked,
        ):
            networks.wait_prepared()
            yield Pair(asked, networks, (transformer, predictor))
