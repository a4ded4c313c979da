"""The network of a source, run as it came: what a converted one is compared with.

Paddle's runs on Paddle, ONNX on ONNX Runtime, both in f32 on the CPU. What a converted graph has inside is done around
them: normalisation before, the argmax after.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ppocr.bundle import Bundle
from ppocr.contract import DET, BundleFacts, Part
from ppocr.cpus import available_cpus
from ppocr_convert.sources import Source
from predictor.engines.base import Answers, Capabilities, EngineOptions, Network

if TYPE_CHECKING:
    from ppocr.contract import F32, U8


def load(source: Source, bundle: Bundle, part: Part) -> Network:
    """`bundle` was made of `source`. Raises BundleError where the engine can't read the network."""
    if source.is_paddle:
        from predictor.engines.paddle import ENGINE

        return ENGINE.load(bundle, part, EngineOptions(device="cpu", precision="f32"))
    return OnnxAsItCame(source.onnx, part, bundle.facts())


class OnnxAsItCame(Network):
    """FLOAT [N,3,H,W] in, FLOAT [N,1,H,W] or [N,T,classes] out."""

    def __init__(self, content: bytes, part: Part, facts: BundleFacts) -> None:
        super().__init__(part, facts)
        import onnxruntime as ort

        settings = ort.SessionOptions()
        settings.log_severity_level = 3
        settings.intra_op_num_threads = available_cpus()
        # A model of more than 2 GiB can only be read from a file; others may as well.
        with tempfile.TemporaryDirectory(prefix="ppocr-proof-") as folder:
            path = Path(folder) / "network.onnx"
            path.write_bytes(content)
            self._session: Any = ort.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self.capabilities = Capabilities("onnxruntime", "CPU", "f32", 1, 0)
        self._prepare()

    def _prepare(self) -> None:
        normalisation = self.facts.det_normalisation if self.part == DET else self.facts.rec_normalisation
        mean, std = (np.array(values, np.float32) for values in (normalisation.mean, normalisation.std))
        self._reverse = normalisation.channels == "BGR"
        self._mean, self._std = mean.reshape(1, 3, 1, 1), std.reshape(1, 3, 1, 1)

    def _run(self, pixels: U8) -> Answers:
        planes = (pixels[..., ::-1] if self._reverse else pixels).transpose(0, 3, 1, 2)
        normalised = (planes.astype(np.float32) / 255 - self._mean) / self._std
        output = self._network(np.ascontiguousarray(normalised))
        if self.part == DET:
            return (np.rint(output[:, 0] * 255).astype(np.uint8),)
        ids = output.argmax(axis=2)
        return ids.astype(np.int32), np.take_along_axis(output, ids[..., None], axis=2)[..., 0]

    def _network(self, normalised: F32) -> F32:
        (output,) = self._session.run(None, {self._input: normalised})
        return output  # type: ignore[no-any-return]

    def close(self) -> None:
        self._session = None
