"""The interface of the engines. predictor/engines/choice.py picks one.

An engine loads one network of a bundle; a network turns uint8 pixels into its small answers. The rest of the predictor is the
same for all engines, and engines know nothing about requests.
"""

from __future__ import annotations

import abc
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ppocr.contract import NetworkFacts
from ppocr_api.errors import BundleError, EngineError, InvalidRequest
from predictor.bundle import Bundle

if TYPE_CHECKING:
    from ppocr.contract import U8

Device = Literal["auto", "cpu", "gpu"]
Precision = Literal["auto", "f32", "bf16", "f16"]
EngineName = Literal["auto", "openvino", "onnxruntime", "paddle"]

#: What a network answers for N items: one array for each of `NetworkFacts.outputs`, whose first axis is N.
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
    """How the engine has applied the options.

    `batch_pixels` is the size of a batch above which a larger one is no faster, 0 if the engine doesn't say. `by_size`: the
    engine makes kernels for each input size, and keeps them. `fills_batches`: it pads each batch to one of a few sizes.
    """

    engine: str
    device: str
    precision: str
    streams: int
    batch_pixels: int
    by_size: bool = False
    fills_batches: bool = False


class Network(abc.ABC):
    """One network in memory. As many calls of `infer` as it has streams run at once; more wait their turn."""

    capabilities: Capabilities

    def __init__(self, facts: NetworkFacts) -> None:
        self.facts = facts

    def infer(self, pixels: U8) -> Answers:
        """UINT8 [N,H,W,3] RGB → one array [N,…] for each of the network's outputs; the arrays are the caller's own.

        Raises InvalidRequest for pixels that the network can't take, EngineOutOfMemory if a smaller batch may work,
        EngineError for all other failures of the engine.
        """
        check_pixels(pixels, self.facts)
        # Arrays that are views of a gRPC message are read-only, and OpenVINO shares memory only with writable ones.
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
        """Releases the network's memory. No call of `infer` may be running, and none may follow."""


class Engine(Protocol):
    """A library that runs networks."""

    def load(self, bundle: Bundle, network: NetworkFacts, options: EngineOptions) -> Network:
        """Loads a network that `bundle` lists. Raises BundleError if its file is missing or can't be read, ConfigError
        if the options ask for what this machine or this build of the library doesn't have."""


def check_pixels(pixels: U8, network: NetworkFacts) -> None:
    """Raises InvalidRequest unless `pixels` are UINT8 [N,H,W,3] of a size that the network takes."""
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3 or not pixels.size:
        raise InvalidRequest(
            f"{network.name} takes UINT8 [N,H,W,3], N at least 1; this is {pixels.dtype} {list(pixels.shape)}"
        )
    network.grid.check(network.name, pixels.shape[1], pixels.shape[2])


def check_ports(network: NetworkFacts, label: str, inputs: Collection[str], outputs: Collection[str]) -> None:
    """Raises BundleError if the graph's `inputs` or `outputs` lack one that the bundle `label` lists for the network."""
    for kind, wanted, there in (
        ("input", {network.input}, inputs),
        ("output", {output.name for output in network.outputs}, outputs),
    ):
        missing = sorted(wanted.difference(there))
        if missing:
            raise BundleError(
                f"the {network.name} network of {label} has no {kind} {missing[0]!r}; it has {', '.join(sorted(there))}"
            )


def check_answers(answers: Answers, pixels: U8) -> Answers:
    """Returns `answers`. Raises EngineError if one of them has another number of items than `pixels`."""
    if any(len(answer) != len(pixels) for answer in answers):
        raise EngineError(
            f"{len(pixels)} items were sent to the network, and {[len(answer) for answer in answers]} came back"
        )
    return answers
