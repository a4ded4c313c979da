"""Which engine runs, and what is said where it can't."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ppocr.contract import Output
from ppocr_api.errors import BundleError, ConfigError
from predictor.bundle import Bundle
from predictor.engines.base import EngineName, EngineOptions
from predictor.engines.choice import choose
from predictor.engines.onnxruntime import has_gpu
from tests import needs
from tests.predictor.engines.conftest import facts

without_gpu = pytest.mark.skipif(has_gpu(), reason="this machine has a GPU")


@without_gpu
def test_auto_is_openvino_on_a_cpu() -> None:
    engine, options = choose("auto", EngineOptions())
    assert type(engine).__name__ == "OpenVinoEngine"
    assert options.device == "cpu"


@without_gpu
def test_auto_refuses_a_gpu_that_isnt_there() -> None:
    with pytest.raises(ConfigError, match="no GPU can be used"):
        choose("auto", EngineOptions(device="gpu"))


@without_gpu
@pytest.mark.parametrize(
    ("engine", "options", "says"),
    [
        ("openvino", {"device": "gpu"}, "runs on the CPU here"),
        ("openvino", {"precision": "f16"}, "auto, bf16 and f32"),
        ("openvino", {"tensorrt": True}, "TensorRT needs a GPU"),
        ("onnxruntime", {"device": "gpu"}, "CUDA"),
        ("onnxruntime", {"device": "gpu", "tensorrt": True}, "CUDA"),
        ("onnxruntime", {"tensorrt": True}, "TensorRT needs a GPU"),
        ("onnxruntime", {"precision": "bf16"}, "openvino has bf16"),
    ],
)
def test_what_an_engine_cant_do_here_is_refused_at_load(
    v6: Bundle, engine: EngineName, options: dict[str, Any], says: str
) -> None:
    chosen, options_ = choose(engine, EngineOptions(**options))
    with pytest.raises(ConfigError, match=says):
        chosen.load(v6, facts(v6, "det"), options_)


@without_gpu
@needs.paddle
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"device": "gpu"}, "without CUDA|sees no GPU"),
        ({"tensorrt": True}, "TensorRT needs a GPU"),
        ({"precision": "f16"}, "auto, f32 and bf16"),
    ],
)
def test_what_paddle_cant_do_here_is_refused_at_load(v4: Bundle, options: dict[str, Any], says: str) -> None:
    chosen, options_ = choose("paddle", EngineOptions(**options))
    with pytest.raises(ConfigError, match=says):
        chosen.load(v4, facts(v4, "det"), options_)


@needs.paddle
def test_paddle_says_when_a_bundle_has_no_paddle_format(v6: Bundle) -> None:
    chosen, options = choose("paddle", EngineOptions(device="cpu"))
    with pytest.raises(BundleError, match="no det network in Paddle's format"):
        chosen.load(v6, facts(v6, "det"), options)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_damaged_network_is_a_bundle_error(v6: Bundle, tmp_path: Path, engine: EngineName) -> None:
    shutil.copytree(v6.path, tmp_path / "1")
    network = tmp_path / "1" / "rec.onnx"
    network.write_bytes(network.read_bytes()[:1_000_000])
    damaged = dataclasses.replace(v6, path=tmp_path / "1")
    chosen, options = choose(engine, EngineOptions(device="cpu", precision="f32"))
    with pytest.raises(BundleError, match="rec network of ppocrv6-small/1") as caught:
        chosen.load(damaged, facts(v6, "rec"), options)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"input": "lines"}, "det network of ppocrv6-small/1 has no input 'lines'; it has image"),
        ({"outputs": (Output("map", "UINT8"),)}, "has no output 'map'; it has probability"),
    ],
)
def test_a_network_that_isnt_what_the_manifest_says_is_a_bundle_error(
    v6: Bundle, engine: EngineName, change: dict[str, Any], says: str
) -> None:
    chosen, options = choose(engine, EngineOptions(device="cpu", precision="f32"))
    with pytest.raises(BundleError, match=says):
        chosen.load(v6, dataclasses.replace(facts(v6, "det"), **change), options)


def test_an_engines_library_is_imported_when_it_is_chosen() -> None:
    script = "import sys, predictor.engines.choice; print({'openvino', 'onnxruntime', 'paddle'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
