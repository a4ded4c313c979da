"""Paddle's programs as ONNX compute what Paddle computes, in both of Paddle's formats; damaged ones are refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.to_onnx import convert, read_program, to_onnx
from tests.ppocr_convert.conftest import Model

#: Makes PIR of an older program, by Paddle.
TO_PIR = """
import os, sys
os.environ["FLAGS_enable_pir_api"] = "0"
import paddle
from paddle.base import core
paddle.enable_static()
program, _, _ = paddle.static.load_inference_model(sys.argv[1], paddle.static.Executor(paddle.CPUPlace()))
core.serialize_pir_program(paddle.pir.translate_to_pir(program.desc), sys.argv[2], 1)
"""


def run(model: ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x})[0])


def paddle_says(program: Path, x: np.ndarray) -> np.ndarray:
    from paddle import inference

    config = inference.Config(str(program), str(program.with_suffix(".pdiparams")))
    config.disable_glog_info()
    config.disable_gpu()
    predictor = inference.create_predictor(config)
    predictor.get_input_handle(predictor.get_input_names()[0]).copy_from_cpu(x)
    predictor.run()
    return np.asarray(predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu())


def in_a_process(*command: str) -> None:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What paddle_networks.py makes: FOLDER/{pir,legacy}/NAME."""
    folder = tmp_path_factory.mktemp("networks")
    for kind in ("pir", "legacy"):
        in_a_process(str(Path(__file__).parent / "paddle_networks.py"), str(folder / kind), kind)
    return folder


def program_in(folder: Path) -> Path:
    return next(path for name in ("inference.json", "inference.pdmodel") if (path := folder / name).is_file())


@pytest.mark.parametrize("name", ["pir/recurrent", "legacy/recurrent", "pir/attention", "pir/server"])
def test_networks_of_other_generations(networks: Path, name: str) -> None:
    program = program_in(networks / name)
    assert program.suffix == {"pir": ".json", "legacy": ".pdmodel"}[name.partition("/")[0]]
    model = to_onnx(program, program.with_suffix(".pdiparams"))
    with np.load(networks / name / "expected.npz") as expected:
        for size in ("1", "3"):
            x, y = expected[f"x{size}"], expected[f"y{size}"]
            assert y.std() > 1e-3, "the network tells nothing apart"
            np.testing.assert_allclose(run(model, x), y, atol=1e-5)


@pytest.mark.parametrize(("part", "shape"), [("det", (1, 3, 64, 96)), ("rec", (2, 3, 48, 128))])
def test_pp_ocrv4_in_both_formats(v4: Model, part: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    program = getattr(v4, part) / "inference.pdmodel"
    parameters = program.with_suffix(".pdiparams")
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    expected = paddle_says(program, x)
    np.testing.assert_allclose(run(to_onnx(program, parameters), x), expected, atol=2e-5)
    pir = tmp_path / "inference.json"
    in_a_process("-c", TO_PIR, str(program.with_suffix("")), str(pir))
    np.testing.assert_allclose(run(to_onnx(pir, parameters), x), expected, atol=2e-5)


def test_equal_programs_give_equal_bytes(v4: Model) -> None:
    files = v4.rec / "inference.pdmodel", v4.rec / "inference.pdiparams"
    first, second = (to_onnx(*files).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


def test_an_operator_of_another_kind_of_network_is_named(networks: Path) -> None:
    with pytest.raises(BundleError, match=r"uses cumsum, which this converter can't translate"):
        to_onnx(networks / "pir/odd/inference.json", networks / "pir/odd/inference.pdiparams")


@pytest.mark.parametrize("size", [0, 1, 100, 10_000])
def test_a_program_that_is_cut_off(v4: Model, size: int) -> None:
    content = (v4.det / "inference.pdmodel").read_bytes()[:size]
    with pytest.raises(BundleError, match=r"cut off|no operators|damaged"):
        read_program(content, "inference.pdmodel")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"base_code": {"magic": "pir"', "not JSON, or cut off"),
        (b"{}", "not a program of Paddle's PIR"),
        (b'{"base_code": {"magic": "other"}}', "not a program of Paddle's PIR"),
        (json.dumps({"base_code": {"magic": "pir"}, "program": {"regions": []}}).encode(), "not a program"),
        (b"\xff\xd8\xff\xe0 a picture", "damaged|cut off|no operators"),
        (b"PK\x03\x04", "damaged|cut off|no operators"),
    ],
)
def test_what_is_no_program(content: bytes, says: str) -> None:
    with pytest.raises(BundleError, match=says):
        read_program(content, "inference.pdmodel")


def test_random_damage_is_refused_or_harmless(v4: Model) -> None:
    """Whatever is written over a program, BundleError alone comes out, or a program."""
    content, parameters = ((v4.rec / f"inference.{name}").read_bytes() for name in ("pdmodel", "pdiparams"))
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 3):
            damaged[place] = rng.integers(0, 256)
        try:
            convert(read_program(bytes(damaged), "inference.pdmodel"), parameters, "inference.pdiparams")
        except BundleError:
            refused += 1
    assert refused > 30, "nearly every byte of a program means something"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda whole: whole[:-1], r"ends or is damaged at parameter \d+ of \d+"),
        (lambda whole: whole[:1000], r"ends or is damaged at parameter \d+ of \d+"),
        (lambda whole: b"", "ends or is damaged at parameter 1 of"),
        (lambda whole: whole + b"\0", "1 bytes more"),
        (lambda whole: b"\1" + whole[1:], "ends or is damaged at parameter 1 of"),
    ],
)
def test_parameters_that_are_damaged(v4: Model, change: Any, says: str) -> None:
    program = read_program((v4.det / "inference.pdmodel").read_bytes(), "inference.pdmodel")
    content = change((v4.det / "inference.pdiparams").read_bytes())
    with pytest.raises(BundleError, match=says):
        convert(program, content, "inference.pdiparams")


def test_parameters_of_another_network(v4: Model) -> None:
    program = read_program((v4.det / "inference.pdmodel").read_bytes(), "inference.pdmodel")
    with pytest.raises(BundleError, match=r"inference\.pdiparams doesn't belong to this program: its parameter '\w+"):
        convert(program, (v4.rec / "inference.pdiparams").read_bytes(), "inference.pdiparams")


def test_generated_code_is_up_to_date(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environ = {**os.environ, "PYTHON": sys.executable}
    subprocess.run([root / "scripts" / "generate_protobuf", tmp_path], env=environ, check=True, timeout=60)
    for name in ("framework_pb2.py", "framework_pb2.pyi"):
        place = Path("ppocr_convert", "paddle_format", name)
        assert (tmp_path / place).read_text() == (root / place).read_text(), "run scripts/generate_protobuf"
