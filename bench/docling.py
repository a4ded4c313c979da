"""docling's OCR stage with RapidOCR in its own process, and with the service that it asks for tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench import environments
from bench.contestants import PROGRAMS, Contestant, Facts, Pass, PassProgram
from bench.processes import Usage
from bench.service import Service, all_in_one

MODELS = "docling's OCR stage"


class Remote:
    """docling with `service`, which rows may share: the first to read starts it. CPU and memory are those of both."""

    models, ours = MODELS, True

    def __init__(self, service: Service, transport: str, callers: int):
        self.name, self.facts = f"ours, {transport}, {_callers(callers)}", Facts()
        self._service, self._transport, self._callers = service, transport, callers
        self._docling: PassProgram | None = None

    def start(self, images: Sequence[Path]) -> None:
        if not self._service.programs:
            self._service.start()
        port = self._service.grpc_port if self._transport == "grpc" else self._service.port
        address = f"127.0.0.1:{port}"
        command = _program("--address", address, "--transport", self._transport, "--callers", str(self._callers))
        self._docling = PassProgram(self.name, MODELS, lambda: command, ours=True)
        self._docling.start(images)
        self.facts.reported = self._docling.facts.reported

    def read(self, images: Sequence[Path]) -> Pass:
        if self._docling is None:
            raise RuntimeError(f"{self.name} isn't started")
        with Usage(*self._service.pids, self._docling.program().process.pid) as usage:
            read = self._docling.read(images)
        return Pass(read.texts, read.seconds, read.wall, usage.peak_bytes, usage.cpu)

    def stop(self) -> None:
        if self._docling is not None:
            self._docling.stop()
        self._service.stop()


def docling(service_python: str) -> list[Contestant]:
    """RapidOCR on the library that docling takes by default and on ours, and the service by either protocol."""
    local = [("onnxruntime", 1), ("openvino", 1), ("onnxruntime", 8)]
    service = all_in_one(service_python)
    return [
        *(_local(engine, callers) for engine, callers in local),
        *(Remote(service, transport, callers) for transport in ("grpc", "http") for callers in (1, 8)),
    ]


def _local(engine: str, callers: int) -> PassProgram:
    return PassProgram(
        f"its RapidOCR, {engine}, {_callers(callers)}",
        MODELS,
        lambda: _program("--local", engine, "--callers", str(callers)),
    )


def _program(*words: str) -> list[str | Path]:
    return [environments.python("docling"), PROGRAMS / "docling_peer.py", *words]


def _callers(count: int) -> str:
    return "1 caller" if count == 1 else f"{count} callers"
