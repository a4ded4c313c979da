"""Paddle Inference: networks in Paddle's own format, on the CPU (oneDNN), a GPU, or a GPU with TensorRT.

The Paddle graph is left as it is, so steps that are part of the ONNX graphs are done here: the normalisation before, and the
argmax after.
"""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from paddle import inference
from paddle.device import is_compiled_with_cuda

from ppocr.contract import DETECTION, NetworkFacts
from ppocr_api.errors import BundleError, ConfigError, EngineError, EngineOutOfMemory
from ppocr_limits.cpus import available_cpus
from predictor.bundle import Bundle
from predictor.engines.base import Answers, Capabilities, EngineOptions, Network, check_answers
from predictor.engines.sizes import Shape, profile

if TYPE_CHECKING:
    from ppocr.contract import F32, U8

_GPU_POOL_MIB = 512
_TENSORRT_WORKSPACE = 1 << 30
#: Shapes whose oneDNN kernels stay in memory, as PaddleOCR sets it.
_ONEDNN_SHAPES = 10


def has_gpu() -> bool:
    """Whether this build of Paddle knows CUDA and sees a GPU."""
    from paddle.device.cuda import device_count

    return bool(is_compiled_with_cuda()) and int(device_count()) > 0


class PaddleEngine:
    """The engine, for bundles that have the networks in Paddle's format."""

    def load(self, bundle: Bundle, network: NetworkFacts, options: EngineOptions) -> Network:
        on_gpu = options.device == "gpu" or (options.device == "auto" and has_gpu())
        config = _config(bundle, network)
        threads = options.threads or available_cpus()
        streams = 1 if on_gpu else min(options.streams or 1, threads)
        on_cpu_threads = max(1, threads // streams)
        precision = _use_gpu(config, bundle, network, options) if on_gpu else _use_cpu(config, on_cpu_threads, options)
        try:
            predictor = inference.create_predictor(config)
        except Exception as error:
            raise BundleError(
                f"Paddle can't load the {network.name} network of {bundle.label}: {_error_text(error)}"
            ) from error
        batch_pixels = (32 if on_gpu else 4) * 48 * 320
        capabilities = Capabilities("paddle", "GPU" if on_gpu else "CPU", precision, streams, batch_pixels)
        return PaddleNetwork(network, predictor, capabilities)


class PaddleNetwork(Network):
    """One of Paddle's predictors per stream; the copies share the weights."""

    def __init__(self, facts: NetworkFacts, predictor: Any, capabilities: Capabilities) -> None:
        super().__init__(facts)
        self.capabilities = capabilities
        self._open = True
        self._predictors: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._predictors.put(predictor)
        for _ in range(capabilities.streams - 1):
            self._predictors.put(predictor.clone())
        known = facts.normalisation
        mean, std = (np.array(values, np.float32) for values in (known.mean, known.std))
        self._reverse = known.channels == "BGR"
        self._answers = _map if facts.task == DETECTION else _best
        self._scale, self._shift = (1 / (255 * std)).reshape(1, 3, 1, 1), (-mean / std).reshape(1, 3, 1, 1)

    def _run(self, pixels: U8) -> Answers:
        if not self._open:
            raise EngineError("the network is closed")
        planes = pixels[..., ::-1].transpose(0, 3, 1, 2) if self._reverse else pixels.transpose(0, 3, 1, 2)
        normalised = np.multiply(planes, self._scale, dtype=np.float32, order="C")
        normalised += self._shift
        predictor = self._predictors.get()
        try:
            predictor.get_input_handle(predictor.get_input_names()[0]).copy_from_cpu(normalised)
            predictor.run()
            output: F32 = predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()
        except (RuntimeError, ValueError, MemoryError) as error:
            raise _translated(error, pixels) from error
        finally:
            self._predictors.put(predictor)
        return check_answers(self._answers(output), pixels)

    def close(self) -> None:
        self._open = False
        while not self._predictors.empty():
            predictor = self._predictors.get()
            predictor.clear_intermediate_tensor()
            predictor.try_shrink_memory()


def _map(probability: F32) -> Answers:
    """FLOAT [N,1,H,W] → UINT8 [N,H,W]."""
    return (np.rint(probability[:, 0] * 255).astype(np.uint8),)


def _best(probabilities: F32) -> Answers:
    """FLOAT [N,classes] or [N,T,classes] after the softmax → the best class INT32 [N] or [N,T], and its probability FLOAT."""
    best: NDArray[np.int64] = probabilities.argmax(axis=-1)
    return best.astype(np.int32), np.take_along_axis(probabilities, best[..., None], axis=-1)[..., 0]


def _config(bundle: Bundle, network: NetworkFacts) -> Any:
    program, parameters = bundle.paddle(network.name)
    config = inference.Config(str(program), str(parameters))
    config.disable_glog_info()
    config.enable_memory_optim()
    if program.suffix == ".json":
        # Paddle 3.2 doesn't turn them on by itself, and plans no memory for a PIR program without them.
        config.enable_new_ir(True)
        config.enable_new_executor(True)
    return config


def _use_cpu(config: Any, threads: int, options: EngineOptions) -> str:
    if options.tensorrt:
        raise ConfigError("TensorRT needs a GPU; set the device to gpu, or tensorrt to false")
    if options.precision == "f16":
        raise ConfigError("the engine paddle supports the precisions auto, f32 and bf16 on a CPU")
    config.disable_gpu()
    config.enable_mkldnn()
    config.set_mkldnn_cache_capacity(_ONEDNN_SHAPES)
    config.set_cpu_math_library_num_threads(threads)
    if options.precision == "bf16":
        config.enable_mkldnn_bfloat16()
        return "bf16"
    return "f32"


def _use_gpu(config: Any, bundle: Bundle, network: NetworkFacts, options: EngineOptions) -> str:
    if not is_compiled_with_cuda():
        raise ConfigError("this Paddle is built without CUDA; install paddlepaddle-gpu, or choose the device cpu")
    if not has_gpu():
        raise ConfigError("Paddle sees no GPU here; choose the device cpu")
    precisions = {
        "auto": inference.PrecisionType.Half if options.tensorrt else inference.PrecisionType.Float32,
        "f32": inference.PrecisionType.Float32,
        "f16": inference.PrecisionType.Half,
        "bf16": inference.PrecisionType.Bfloat16,
    }
    precision = precisions[options.precision]
    config.enable_use_gpu(
        _GPU_POOL_MIB, options.device_id, inference.PrecisionType.Float32 if options.tensorrt else precision
    )
    if options.tensorrt:
        config.enable_tensorrt_engine(
            workspace_size=_TENSORRT_WORKSPACE,
            max_batch_size=64,
            min_subgraph_size=3,
            precision_mode=precision,
            use_static=options.cache_dir is not None,
            use_calib_mode=False,
        )
        if options.cache_dir is not None:
            known = bundle.manifest
            config.set_optim_cache_dir(str(options.cache_dir / "paddle" / known.name / known.version / network.name))
        smallest, usual, largest = map(_planes, profile(network.grid))
        name = _input_name(bundle, network)
        config.set_trt_dynamic_shape_info({name: smallest}, {name: largest}, {name: usual})
    return {"auto": "f16" if options.tensorrt else "f32"}.get(options.precision, options.precision)


def _input_name(bundle: Bundle, network: NetworkFacts) -> str:
    """The name of the network's input, from a predictor on the CPU that is made only to ask for it."""
    config = _config(bundle, network)
    config.disable_gpu()
    name: str = inference.create_predictor(config).get_input_names()[0]
    return name


def _planes(shape: Shape) -> list[int]:
    """[N,H,W,C] → [N,C,H,W]."""
    count, height, width, channels = shape
    return [count, channels, height, width]


def _translated(error: Exception, pixels: U8) -> EngineError:
    text = str(error)
    if isinstance(error, MemoryError) or "ResourceExhausted" in text or "bad_alloc" in text or "Out of memory" in text:
        return EngineOutOfMemory(f"no memory for a batch of {list(pixels.shape)}; a smaller one may work")
    return EngineError(f"Paddle failed on a batch of {list(pixels.shape)}: {_error_text(error)}")


def _error_text(error: Exception) -> str:
    """The sentence in Paddle's long messages, without its trace."""
    lines = [line.strip() for line in str(error).splitlines() if "Error" in line and "::" not in line]
    return (lines[-1] if lines else type(error).__name__)[:200]


ENGINE = PaddleEngine()
