"""Runs a network as published, for comparison with the converted one.

A Paddle model runs on Paddle, an ONNX model on ONNX Runtime, both in f32 on the CPU. Steps that are part of a converted
graph are done here: the normalisation before, and the argmax after.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ppocr.contract import DETECTION, NetworkFacts
from ppocr_convert.sources import Source
from ppocr_limits.cpus import available_cpus
from predictor.bundle import Bundle
from predictor.engines.base import Answers, Capabilities, EngineOptions, Network

if TYPE_CHECKING:
    from ppocr.contract import F32, U8


def load(source: Source, bundle: Bundle, network: NetworkFacts) -> Network:
    """Loads `source`, of which `network` of `bundle` was made. Raises BundleError if the engine can't read it."""
    if source.is_paddle:
        from predictor.engines.paddle import ENGINE

        return ENGINE.load(bundle, network, EngineOptions(device="cpu", precision="f32"))
    return OriginalOnnx(source.onnx, network)


class OriginalOnnx(Network):
    """FLOAT [N,3,H,W] in; FLOAT [N,1,H,W], [N,T,classes] or [N,classes] out."""

    def __init__(self, content: bytes, facts: NetworkFacts) -> None:
        super().__init__(facts)
        import onnxruntime as ort

        settings = ort.SessionOptions()
        settings.log_severity_level = 3
        settings.intra_op_num_threads = available_cpus()
        # From a file, because a model of more than 2 GiB can't be read in another way.
        with tempfile.TemporaryDirectory(prefix="ppocr-proof-") as folder:
            path = Path(folder) / "network.onnx"
            path.write_bytes(content)
            self._session: Any = ort.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self.capabilities = Capabilities("onnxruntime", "CPU", "f32", 1, 0)
        self._prepare()

    def _prepare(self) -> None:
        normalisation = self.facts.normalisation
        mean, std = (np.array(values, np.float32) for values in (normalisation.mean, normalisation.std))
        self._reverse = normalisation.channels == "BGR"
        self._mean, self._std = mean.reshape(1, 3, 1, 1), std.reshape(1, 3, 1, 1)

    def _run(self, pixels: U8) -> Answers:
        planes = (pixels[..., ::-1] if self._reverse else pixels).transpose(0, 3, 1, 2)
        normalised = (planes.astype(np.float32) / 255 - self._mean) / self._std
        output = self._network(np.ascontiguousarray(normalised))
        if self.facts.task == DETECTION:
            return (np.rint(output[:, 0] * 255).astype(np.uint8),)
        best = output.argmax(axis=-1)
        return best.astype(np.int32), np.take_along_axis(output, best[..., None], axis=-1)[..., 0]

    def _network(self, normalised: F32) -> F32:
        (output,) = self._session.run(None, {self._input: normalised})
        return output  # type: ignore[no-any-return]

    def close(self) -> None:
        self._session = None
