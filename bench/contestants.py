"""What takes part: something that is started once, reads a set of images as often as asked, and is stopped.

A `Pass` is one reading of the whole set: a latency for each image, and the wall time that throughput is computed from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench import environments
from bench.processes import Program, Usage

PROGRAMS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Pass:
    """One reading of all images: lines by image name, seconds by image, wall seconds, peak bytes, CPU seconds."""

    texts: dict[str, list[str]]
    seconds: list[float]
    wall: float
    memory: int
    cpu: float

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.wall


@dataclass
class Facts:
    """What it reported when it started: versions, precision, seconds from its start to the first answer."""

    reported: dict[str, Any] = field(default_factory=dict)


class Contestant(Protocol):
    #: Its row in the table, unique.
    name: str
    #: The models it uses: ratios are taken within one set of models.
    models: str
    #: Whether it is ours; the others are what ours is compared with.
    ours: bool
    facts: Facts

    def start(self, images: Sequence[Path]) -> None: ...

    def read(self, images: Sequence[Path]) -> Pass: ...

    def stop(self) -> None: ...


class LineProgram:
    """A program that takes one path per line and answers one JSON object per line. It times itself: the pipes don't count.

    `command` is called when it starts, as it may have to make an environment first.
    """

    def __init__(self, name: str, models: str, command: Callable[[], list[str | Path]], *, ours: bool = False):
        self.name, self.models, self.ours, self.facts = name, models, ours, Facts()
        self._command = command
        self._running: Program | None = None

    def start(self, images: Sequence[Path]) -> None:
        # The models are on disk: PaddleX needn't ask model hubs whether they can be reached.
        environ = {"PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True"}
        self._running = Program([*self._command(), "--warm", images[0].resolve()], environ, pipes=True)
        self.facts.reported = json.loads(self._running.listen())["ready"]

    def read(self, images: Sequence[Path]) -> Pass:
        program = self.program()
        answers = {}
        with Usage(program.process.pid) as usage:
            for image in images:
                answers[image.stem] = json.loads(program.ask(str(image.resolve())))
        seconds = [answer["seconds"] for answer in answers.values()]
        texts = {name: answer["texts"] for name, answer in answers.items()}
        return Pass(texts, seconds, wall=sum(seconds), memory=usage.peak_bytes, cpu=usage.cpu)

    def program(self) -> Program:
        if self._running is None:
            raise RuntimeError(f"{self.name} isn't started")
        return self._running

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None


class PassProgram(LineProgram):
    """A program that takes all paths of a pass in one line, and works on several images at a time."""

    def read(self, images: Sequence[Path]) -> Pass:
        program = self.program()
        with Usage(program.process.pid) as usage:
            answer = json.loads(program.ask("\t".join(str(image.resolve()) for image in images)))
        texts = {image.stem: lines for image, lines in zip(images, answer["texts"], strict=True)}
        return Pass(texts, answer["seconds"], wall=answer["wall"], memory=usage.peak_bytes, cpu=usage.cpu)


def peers() -> list[Contestant]:
    """Everything that the service is compared with. A new peer is a line here, a program and a list of pins."""
    return [
        LineProgram("RapidOCR onnxruntime", "v6 small", lambda: rapidocr("onnxruntime")),
        LineProgram("RapidOCR OpenVINO", "v6 small", lambda: rapidocr("openvino")),
        LineProgram("PaddleOCR", "v4 mobile", paddleocr),
    ]


def rapidocr(engine: str) -> list[str | Path]:
    return [environments.python("rapidocr"), PROGRAMS / "rapidocr_peer.py", "--engine", engine]


def paddleocr() -> list[str | Path]:
    program = PROGRAMS / "paddleocr_peer.py"
    return [environments.python("paddleocr"), program, "--models", environments.v4_folder()]
