"""ONNX Runtime: the CPU, CUDA and TensorRT providers."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import onnxruntime as ort

from ppocr.contract import NetworkFacts
from ppocr_api.errors import BundleError, ConfigError, EngineError, EngineOutOfMemory
from ppocr_limits.cpus import available_cpus
from predictor.bundle import Bundle
from predictor.engines.base import Answers, Capabilities, EngineOptions, Network, check_answers, check_ports
from predictor.engines.onnxruntime_by_shape import NetworkByShape, Place, Shape
from predictor.engines.sizes import profile, smallest

if TYPE_CHECKING:
    from ppocr.contract import U8

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
Providers = list[tuple[str, dict[str, str]]]
#: On CUDA: forward passes at the same time, of different shapes, and pixels of a batch: 16 lines of 320.
CUDA_STREAMS, CUDA_BATCH_PIXELS = 4, 16 * 48 * 320


def has_gpu() -> bool:
    """Whether this build of ONNX Runtime knows CUDA and the machine shows an NVIDIA device."""
    return CUDA in ort.get_available_providers() and any(Path("/dev").glob("nvidia[0-9]*"))


class OnnxRuntimeEngine:
    """The engine. On a GPU without TensorRT it loads a `NetworkByShape`."""

    def load(self, bundle: Bundle, network: NetworkFacts, options: EngineOptions) -> Network:
        on_gpu = options.device == "gpu" or (options.device == "auto" and has_gpu())
        if on_gpu and not options.tensorrt:
            return _on_cuda(bundle, network, options)
        threads = options.threads or available_cpus()
        streams = 1 if on_gpu else min(options.streams or 1, threads)
        settings = _session_options(max(1, threads // streams))
        # Sizes change from call to call, so a memory plan for one size is of no use to the next.
        settings.enable_mem_pattern = False
        if on_gpu:
            providers, precision = _gpu_providers(bundle, network, options)
        else:
            providers, precision = _cpu_providers(options), "f32"
        session = _opened(bundle, network, settings, providers)
        return OnnxRuntimeNetwork(
            network,
            session,
            Capabilities("onnxruntime", "GPU" if on_gpu else "CPU", precision, streams, _batch_pixels(on_gpu)),
        )


class OnnxRuntimeNetwork(Network):
    """A session, which several threads may run at once: as many as there are streams."""

    def __init__(self, facts: NetworkFacts, session: ort.InferenceSession, capabilities: Capabilities) -> None:
        super().__init__(facts)
        self.capabilities = capabilities
        self._session: ort.InferenceSession | None = session
        self._turns = threading.BoundedSemaphore(capabilities.streams)
        self._outputs = [output.name for output in facts.outputs]

    def _run(self, pixels: U8) -> Answers:
        session = self._session
        if session is None:
            raise EngineError("the network is closed")
        try:
            with self._turns:
                answers = session.run(self._outputs, {self.facts.input: pixels})
        except Exception as error:
            raise _translated(error, pixels) from error
        return check_answers(tuple(answers), pixels)

    def close(self) -> None:
        self._session = None


def _on_cuda(bundle: Bundle, network: NetworkFacts, options: EngineOptions) -> NetworkByShape:
    (cuda, cpu), precision = _gpu_providers(bundle, network, options)

    def open_session(shape: Shape, recorded: bool) -> ort.InferenceSession:
        settings = _session_options(threads=1)
        # The axes' names are those of the conversion. With fixed axes, no kernels are left that compute shapes on the CPU.
        for axis, length in zip("NHW", shape[:3], strict=True):
            settings.add_free_dimension_override_by_name(axis, length)
        provider, known = cuda
        return _opened(bundle, network, settings, [(provider, known | {"enable_cuda_graph": str(int(recorded))}), cpu])

    streams = options.streams or CUDA_STREAMS
    known = Capabilities("onnxruntime", "GPU", precision, streams, CUDA_BATCH_PIXELS, by_size=True, fills_batches=True)
    opened = NetworkByShape(network, open_session, _translated, known, Place("cuda", options.device_id))
    opened.open(smallest(network.grid))
    return opened


def _session_options(threads: int) -> ort.SessionOptions:
    settings = ort.SessionOptions()
    settings.log_severity_level = 3
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    # Threads that spin between two calls would take processors from the transformer beside them.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return settings


def _opened(
    bundle: Bundle, network: NetworkFacts, settings: ort.SessionOptions, providers: Providers
) -> ort.InferenceSession:
    try:
        session = ort.InferenceSession(str(bundle.onnx(network.name)), settings, providers=providers)
    except Exception as error:
        raise BundleError(
            f"ONNX Runtime can't load the {network.name} network of {bundle.label}: {_error_text(error)}"
        ) from error
    # Otherwise it would continue on the CPU if a kernel of the GPU fails, a hundred times slower and without a message.
    session.disable_fallback()
    wanted, got = providers[0][0], session.get_providers()
    if wanted not in got:
        raise ConfigError(
            f"ONNX Runtime doesn't run on {wanted} here, although it was built for it; is the driver new enough, and are the "
            "CUDA libraries installed that onnxruntime-gpu needs?"
        )
    inputs, outputs = ({port.name for port in ports} for ports in (session.get_inputs(), session.get_outputs()))
    check_ports(network, bundle.label, inputs, outputs)
    return session


def _cpu_providers(options: EngineOptions) -> Providers:
    if options.precision not in ("auto", "f32"):
        raise ConfigError(
            f"on a CPU, ONNX Runtime supports only the precision f32, not {options.precision}; openvino has bf16"
        )
    if options.tensorrt:
        raise ConfigError("TensorRT needs a GPU; set the device to gpu, or tensorrt to false")
    # Memory is allocated as needed, and not doubled in advance, because sizes vary by a factor of a hundred.
    return [(CPU, {"arena_extend_strategy": "kSameAsRequested"})]


def _gpu_providers(bundle: Bundle, network: NetworkFacts, options: EngineOptions) -> tuple[Providers, str]:
    known = ort.get_available_providers()
    if CUDA not in known:
        raise ConfigError(
            "this ONNX Runtime is built without CUDA; install the extra ppocr-serving[onnxruntime-gpu] instead"
        )
    if options.tensorrt and TENSORRT not in known:
        raise ConfigError("this ONNX Runtime is built without TensorRT; set tensorrt to false")
    if options.precision == "bf16" or (options.precision == "f16" and not options.tensorrt):
        raise ConfigError("ONNX Runtime supports the precisions auto and f32 on CUDA, and f16 with TensorRT")
    # The CUDA libraries of onnxruntime-gpu's extras are in Python packages, where the loader doesn't look by itself.
    ort.preload_dlls()
    device = str(options.device_id)
    cuda = {
        "device_id": device,
        "arena_extend_strategy": "kSameAsRequested",
        # Since ONNX Runtime 1.20 EXHAUSTIVE means cuDNN's heuristics of mode B, and measures nothing: a plan takes a fourth of
        # the time of HEURISTIC (mode A), for equally fast kernels. DEFAULT means the slowest kernels.
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "use_tf32": "0" if options.precision == "f32" else "1",
    }
    providers: Providers = [(CUDA, cuda), (CPU, {})]
    if not options.tensorrt:
        return providers, "f32" if options.precision == "f32" else "tf32"
    smallest, usual, largest = (f"{network.input}:{'x'.join(map(str, shape))}" for shape in profile(network.grid))
    half = options.precision in ("auto", "f16")
    tensorrt = {
        "device_id": device,
        "trt_fp16_enable": "1" if half else "0",
        "trt_profile_min_shapes": smallest,
        "trt_profile_opt_shapes": usual,
        "trt_profile_max_shapes": largest,
        "trt_timing_cache_enable": "1",
    }
    if options.cache_dir is not None:
        known = bundle.manifest
        folder = str(options.cache_dir / "tensorrt" / known.name / known.version / network.name)
        tensorrt |= {"trt_engine_cache_enable": "1", "trt_engine_cache_path": folder, "trt_timing_cache_path": folder}
    return [(TENSORRT, tensorrt), *providers], "f16" if half else "f32"


def _batch_pixels(on_gpu: bool) -> int:
    return 64 * 48 * 320 if on_gpu else 4 * 48 * 320


def _translated(error: Exception, pixels: U8) -> EngineError:
    text = str(error)
    if isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text or "bad_alloc" in text:
        return EngineOutOfMemory(f"no memory for a batch of {list(pixels.shape)}; a smaller one may work")
    return EngineError(f"ONNX Runtime failed on a batch of {list(pixels.shape)}: {_error_text(error)}")


def _error_text(error: Exception) -> str:
    """The library's message, without the path of the model."""
    sentence = str(error).partition("\n")[0].rpartition(" : ")[2]
    return re.sub(r"/\S+", "the file", sentence)[:200] or type(error).__name__


ENGINE = OnnxRuntimeEngine()
