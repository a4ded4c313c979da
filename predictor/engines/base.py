"""The interface of the engines, and the choice of one.

An engine loads one network of a bundle; a network turns uint8 pixels into its small answers. Everything above this line
of the predictor is the same for all engines, and nothing below it knows of requests.
"""

from __future__ import annotations

import abc
import dataclasses
import importlib
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ppocr.bundle import Bundle
from ppocr.contract import DET, BundleFacts, Part
from ppocr_api.errors import ConfigError, EngineError, InvalidRequest

if TYPE_CHECKING:
    from ppocr.contract import U8

Device = Literal["auto", "cpu", "gpu"]
Precision = Literal["auto", "f32", "bf16", "f16"]
EngineName = Literal["auto", "openvino", "onnxruntime", "paddle"]

#: Det: (UINT8 [N,H,W],). Rec: (INT32 [N,T], FLOAT [N,T]).
Answers = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class EngineOptions:
    """How to run a network. `auto` and 0 leave the choice to the engine, which says in `Capabilities` what it chose."""

    device: Device = "auto"
    device_id: int = 0
    precision: Precision = "auto"
    threads: int = 0
    streams: int = 0
    tensorrt: bool = False
    cache_dir: Path | None = None


@dataclass(frozen=True)
class Capabilities:
    """What became of the options.

    `batch_pixels` is the size of a batch from which a larger one is no faster. `by_size` says that the engine makes
    kernels for each size of input, and keeps them.
    """

    engine: str
    device: str
    precision: str
    streams: int
    batch_pixels: int
    by_size: bool = False


class Network(abc.ABC):
    """One network in memory. As many calls of `infer` as it has streams run at once; more wait their turn."""

    capabilities: Capabilities

    def __init__(self, part: Part, facts: BundleFacts) -> None:
        self.part = part
        self.facts = facts

    def infer(self, pixels: U8) -> Answers:
        """UINT8 [N,H,W,3] RGB → det (UINT8 [N,H,W],), rec (INT32 [N,T], FLOAT [N,T]); the arrays are the caller's own.

        Raises InvalidRequest for pixels that the network can't take, EngineOutOfMemory where a smaller batch may work,
        EngineError for anything else that goes wrong inside.
        """
        check_pixels(pixels, self.part, self.facts)
        # Arrays over a gRPC message are read-only, and OpenVINO shares memory only with those that aren't.
        return self._run(np.require(pixels, requirements=("C", "W")))

    def prepare(self, shape: tuple[int, int, int, int]) -> None:
        """Runs the network on an input of `shape` [N,H,W,3], on all streams at once. Raises as `infer`."""
        streams = self.capabilities.streams
        with ThreadPoolExecutor(streams) as pool:
            runs = [pool.submit(self.infer, np.zeros(shape, np.uint8)) for _ in range(streams)]
        for run in runs:
            run.result()

    @abc.abstractmethod
    def _run(self, pixels: U8) -> Answers:
        """As `infer`, with checked and contiguous pixels."""

    @abc.abstractmethod
    def close(self) -> None:
        """Gives the network's memory back. No call of `infer` may be running, and none may follow."""


class Engine(Protocol):
    """A library that runs networks."""

    def load(self, bundle: Bundle, part: Part, options: EngineOptions) -> Network:
        """Raises BundleError where the bundle has no such network or it can't be read, ConfigError where the options
        ask for what this machine or this build of the library doesn't have."""


def check_pixels(pixels: U8, part: Part, facts: BundleFacts) -> None:
    """Raises InvalidRequest unless `pixels` are UINT8 [N,H,W,3] of a size that the network takes."""
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3 or not pixels.size:
        raise InvalidRequest(f"{part} takes UINT8 [N,H,W,3], N at least 1; this is {pixels.dtype} {list(pixels.shape)}")
    height, width = pixels.shape[1:3]
    if part == DET:
        stride = facts.det.stride
        if height % stride or width % stride:
            raise InvalidRequest(
                f"det takes heights and widths that are multiples of {stride}; this is {height}x{width}"
            )
    elif height != facts.rec.height:
        raise InvalidRequest(f"rec takes lines {facts.rec.height} pixels high; these are {height}")
    elif not facts.rec.min_width <= width <= facts.rec.max_width:
        raise InvalidRequest(f"rec takes widths from {facts.rec.min_width} to {facts.rec.max_width}; this is {width}")


def check_answers(answers: Answers, pixels: U8) -> Answers:
    """The answers; raises EngineError where there aren't as many as pixels were put in."""
    if any(len(answer) != len(pixels) for answer in answers):
        raise EngineError(
            f"{len(pixels)} items went into the network and {[len(answer) for answer in answers]} came out"
        )
    return answers


def choose(name: EngineName, options: EngineOptions) -> tuple[Engine, EngineOptions]:
    """The engine of that name, or the best one that is installed, and the options with their device decided.

    A GPU is used where onnxruntime was built for it and there is one. On a CPU, OpenVINO is the fastest, then onnxruntime.
    """
    if name == "auto":
        name, options = _pick(options)
    elif not _installed(name):
        raise ConfigError(
            f"the engine {name} isn't installed; install the extra ppocr-serving[{name}], or choose another"
        )
    module = importlib.import_module(f"predictor.engines.{name}")
    return cast(Engine, module.ENGINE), options


def _pick(options: EngineOptions) -> tuple[EngineName, EngineOptions]:
    if options.device != "cpu" and _installed("onnxruntime"):
        from predictor.engines.onnxruntime import has_gpu

        if has_gpu():
            return "onnxruntime", dataclasses.replace(options, device="gpu")
    if options.device == "gpu":
        if _installed("paddle") and importlib.import_module("predictor.engines.paddle").has_gpu():
            return "paddle", options
        raise ConfigError(
            "no GPU can be used: neither onnxruntime nor paddle is here in its GPU build, with a GPU to see"
        )
    preferred: tuple[EngineName, ...] = ("openvino", "onnxruntime", "paddle")
    for name in preferred:
        if _installed(name):
            return name, dataclasses.replace(options, device="cpu")
    raise ConfigError(
        "no engine is installed; install one of the extras openvino, onnxruntime, onnxruntime-gpu or paddle"
    )


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
