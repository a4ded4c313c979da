"""Chooses the engine: the requested one, or the best one that is installed and works on this machine."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from typing import cast

from ppocr_api.errors import ConfigError
from predictor.engines.base import Engine, EngineName, EngineOptions


def choose(name: EngineName, options: EngineOptions) -> tuple[Engine, EngineOptions]:
    """The engine of that name, or the best one that is installed, and the options with their device decided.

    A GPU is used if there is one and onnxruntime was built for it. On a CPU, OpenVINO is the fastest, then onnxruntime.
    Raises ConfigError if the engine isn't installed, or there is no GPU although one is required.
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
            "no GPU can be used: neither onnxruntime nor paddle is installed in its GPU build with a visible GPU"
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
