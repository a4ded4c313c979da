"""OpenVINO, on the CPU."""

from __future__ import annotations

import functools
import logging
import math
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import openvino as ov

from ppocr.contract import NetworkFacts
from ppocr_api.errors import BundleError, ConfigError, EngineError, EngineOutOfMemory
from ppocr_limits.cpus import available_cpus
from predictor.bundle import Bundle
from predictor.engines.base import Answers, Capabilities, EngineOptions, Network, check_answers, check_ports
from predictor.engines.openvino_tail import shorten

if TYPE_CHECKING:
    from ppocr.contract import U8

log = logging.getLogger("ppocr.predictor")

#: Default number of streams. With small lines, the threads of one forward pass mostly wait for each other: two passes with one
#: thread each take a quarter less CPU on two cores (PP-OCRv6 small; a third less with PP-OCRv4).
MAX_STREAMS = 4
#: Kernels of each kind that a network of lines keeps in each stream for the sizes it has seen. Lines come in some 80 sizes
#: (see predictor/preparing.py), with up to 40 kernels of a kind each; making one of these sizes ready again takes longer
#: than computing it: with half as many, PP-OCRv4 reads receipts 12 % slower.
_KERNELS = 4000
#: The same for a network of whole pages. Pages come in hundreds of sizes, and detection takes so long that new kernels hardly
#: matter; the kernels of a thousand sizes would take hundreds of megabytes.
_KERNELS_OF_PAGES = 0

#: Infer requests of compiled models that ran out of memory. OpenVINO 2026.4 crashes in the next model that runs after one of
#: these was destroyed, so they are kept. That costs about 60 MB each time, which is better than a crash.
_BROKEN: list[_Compiled] = []


#: A page with more than this many times its network's usual pixels has an unusual size: it runs when no other such page
#: does, and its memory is released afterwards. A forward pass takes about 170 bytes per pixel, which OpenVINO keeps for the
#: next one, in each stream.
_UNUSUAL = 1.25
_one_unusual = threading.Lock()


@dataclass(frozen=True)
class _Compiled:
    """A compiled model and its free infer requests, one per stream."""

    model: ov.CompiledModel
    requests: queue.SimpleQueue[ov.InferRequest]


class OpenVinoEngine:
    """The engine. All networks share one core object, and through it compiled kernels and threads."""

    def __init__(self) -> None:
        self._core: ov.Core | None = None

    def load(self, bundle: Bundle, network: NetworkFacts, options: EngineOptions) -> Network:
        if options.device == "gpu":
            raise ConfigError("the engine openvino runs on the CPU here; choose onnxruntime or paddle for a GPU")
        if options.tensorrt:
            raise ConfigError("TensorRT needs a GPU; set tensorrt to false")
        if self._core is None:
            self._core = ov.Core()
        precision = _precision(self._core, options)
        threads = options.threads or available_cpus()
        streams = min(options.streams or MAX_STREAMS, threads)
        properties: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            "CPU_RUNTIME_CACHE_CAPACITY": _KERNELS_OF_PAGES if network.grid.whole_pages else _KERNELS,
        }
        if options.cache_dir is not None:
            properties["CACHE_DIR"] = str(options.cache_dir)
        try:
            model = self._core.read_model(bundle.onnx(network.name))
            check_ports(network, bundle.label, _names(model.inputs), _names(model.outputs))
            shorten(model)
            compile_model = functools.partial(self._core.compile_model, model, "CPU", properties)
            capabilities = Capabilities("openvino", "CPU", precision, streams, 0, by_size=True)
            return OpenVinoNetwork(network, compile_model, capabilities)
        except RuntimeError as error:
            raise BundleError(
                f"OpenVINO can't read the {network.name} network of {bundle.label}: {_first_line(error)}"
            ) from error


class OpenVinoNetwork(Network):
    """A network: a compiled model with one infer request per stream."""

    def __init__(
        self, facts: NetworkFacts, compile_model: Callable[[], ov.CompiledModel], capabilities: Capabilities
    ) -> None:
        super().__init__(facts)
        self.capabilities = capabilities
        self._outputs = tuple(output.name for output in facts.outputs)
        self._compile: Callable[[], ov.CompiledModel] | None = compile_model
        self._compiling = threading.Lock()
        compiled = compile_model()
        outputs = [compiled.output(name) for name in self._outputs]
        # The smallest shape that the model allows has no items, as their number is free. The types are copied: the type that
        # an output returns would keep the compiled model in memory after `close`, as long as anybody holds this object.
        self._empty = [
            (ov.Type(output.element_type.to_dtype()), output.partial_shape.get_min_shape()) for output in outputs
        ]
        self._compiled: _Compiled | None = self._with_requests(compiled)
        grid = facts.grid
        self._usual_pixels = _UNUSUAL * grid.height.usual * grid.width.usual if grid.whole_pages else math.inf

    def _run(self, pixels: U8) -> Answers:
        if pixels.size // 3 <= self._usual_pixels:
            return self._forward(self._ready(pixels), pixels)
        with _one_unusual:
            compiled = self._ready(pixels)
            try:
                return self._forward(compiled, pixels)
            finally:
                self._release_memory(compiled)

    def _release_memory(self, compiled: _Compiled) -> None:
        """Returns the memory between a model's layers to the system. OpenVINO refuses that if one of the requests runs."""
        requests = [compiled.requests.get() for _ in range(self.capabilities.streams)]
        try:
            compiled.model.release_memory()
        except RuntimeError as error:
            log.warning("OpenVINO keeps the memory of a large page: %s", _first_line(error))
        finally:
            for request in requests:
                compiled.requests.put(request)

    def _forward(self, compiled: _Compiled, pixels: U8) -> Answers:
        answers = self._attempt(compiled.requests, pixels)
        if any(not answer.size for answer in answers):
            # If OpenVINO 2026.4 runs out of memory, `infer` returns without an error and leaves the outputs unchanged,
            # and so does every later call on the same compiled model. So each call passes
            # new outputs, whose shape shows whether they were written, and the model is compiled again.
            with self._compiling:
                if self._compiled is compiled:
                    _BROKEN.append(compiled)
                    self._compiled = None
            raise EngineOutOfMemory(f"no memory for a batch of {list(pixels.shape)}; a smaller one may work")
        return check_answers(answers, pixels)

    def _ready(self, pixels: U8) -> _Compiled:
        """The compiled model; compiled again if the last one is broken."""
        with self._compiling:
            if self._compile is None:
                raise EngineError("the network is closed")
            if self._compiled is None:
                try:
                    self._compiled = self._with_requests(self._compile())
                except (RuntimeError, MemoryError) as error:
                    raise _translated(error, pixels) from error
            return self._compiled

    def _attempt(self, requests: queue.SimpleQueue[ov.InferRequest], pixels: U8) -> Answers:
        request = requests.get()
        try:
            # The request reads the caller's memory and is done with it when `infer` returns.
            request.set_tensor(self.facts.input, ov.Tensor(pixels, shared_memory=True))
            tensors = [ov.Tensor(kind, shape) for kind, shape in self._empty]
            for name, tensor in zip(self._outputs, tensors, strict=True):
                request.set_tensor(name, tensor)
            request.infer()
            return tuple(tensor.data for tensor in tensors)
        except (RuntimeError, MemoryError) as error:
            raise _translated(error, pixels) from error
        finally:
            requests.put(request)

    def _with_requests(self, compiled: ov.CompiledModel) -> _Compiled:
        requests: queue.SimpleQueue[ov.InferRequest] = queue.SimpleQueue()
        for _ in range(self.capabilities.streams):
            requests.put(compiled.create_infer_request())
        return _Compiled(compiled, requests)

    def close(self) -> None:
        with self._compiling:
            self._compile, self._compiled = None, None


def _names(ports: Sequence[ov.Output]) -> set[str]:
    return {name for port in ports for name in port.get_names()}


def _precision(core: ov.Core, options: EngineOptions) -> str:
    """bf16 if the CPU multiplies it in hardware: twice as fast, with the same text. On other CPUs it would be emulated."""
    native = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if options.precision == "auto":
        return "bf16" if native else "f32"
    if options.precision == "bf16" and not native:
        raise ConfigError("this CPU has no bf16 instructions; choose the precision auto or f32")
    if options.precision == "f16":
        raise ConfigError("the engine openvino supports the precisions auto, bf16 and f32 on a CPU")
    return options.precision


def _translated(error: Exception, pixels: U8) -> EngineError:
    text = str(error)
    if isinstance(error, MemoryError) or "alloc" in text or "out of memory" in text.lower():
        return EngineOutOfMemory(f"no memory for a batch of {list(pixels.shape)}; a smaller one may work")
    return EngineError(f"OpenVINO failed on a batch of {list(pixels.shape)}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    """The library's message, without its source locations."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next(
        (line for line in lines if "/src/" not in line and not line.startswith("Exception from")), "no reason given"
    )


ENGINE = OpenVinoEngine()
