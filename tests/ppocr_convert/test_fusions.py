"""Operators that were split are whole again, and compute what they did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, helper, numpy_helper
from onnx.version_converter import convert_version

from ppocr_convert import builtin, fusions, v4_mobile, writer
from predictor.bundle import Bundle
from tests import needs

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(3)


def network(opset: int = 12, alpha: float = 1 / 6) -> ModelProto:
    """A convolution, x · HardSigmoid(x) in either order of its factors, and a squeeze-and-excitation block."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], kernel_shape=[1, 1]),
        helper.make_node("HardSigmoid", ["a"], ["b"], alpha=alpha, beta=0.5),
        helper.make_node("Mul", ["a", "b"], ["c"]),
        helper.make_node("HardSigmoid", ["c"], ["d"], alpha=alpha, beta=0.5),
        helper.make_node("Mul", ["d", "c"], ["e"]),
        helper.make_node("GlobalAveragePool", ["e"], ["f"]),
        helper.make_node("HardSigmoid", ["f"], ["g"], alpha=alpha, beta=0.5),
        helper.make_node("Mul", ["e", "g"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["N", 8, "H", "W"])],
        [numpy_helper.from_array(RNG.normal(size=(8, 3, 1, 1)).astype(np.float32), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def operators(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def run(model: ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


@pytest.mark.parametrize("opset", [11, 12, 14, 17])
def test_pairs_become_one_and_give_the_same(opset: int) -> None:
    source = network(opset)
    x = RNG.normal(scale=4, size=(2, 3, 5, 7)).astype(np.float32)
    expected = run(source, x)
    fused = fusions.hardswish(source)
    assert operators(fused) == ["Conv", "HardSwish", "HardSwish", "GlobalAveragePool", "HardSigmoid", "Mul"]
    assert fused.opset_import[0].version == max(opset, fusions.OPSET)
    np.testing.assert_allclose(run(fused, x), expected, rtol=1e-5, atol=1e-5)


def test_another_slope_is_no_hardswish() -> None:
    source = network(alpha=0.2)
    before = source.SerializeToString()
    assert fusions.hardswish(source).SerializeToString() == before


@pytest.mark.parametrize("reader", ["another node", "an output"])
def test_a_sigmoid_that_is_read_elsewhere_too_stays(reader: str) -> None:
    source = network()
    if reader == "another node":
        source.graph.node.insert(2, helper.make_node("Relu", ["b"], ["r"]))
    source.graph.output.append(
        helper.make_tensor_value_info("r" if reader == "another node" else "b", onnx.TensorProto.FLOAT, [None] * 4)
    )
    fused = operators(fusions.hardswish(source))
    assert (fused.count("HardSwish"), fused.count("HardSigmoid")) == (1, 2)


def test_equal_sources_give_equal_bytes() -> None:
    source = network().SerializeToString()
    first, second = (fusions.hardswish(onnx.load_from_string(source)) for _ in range(2))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


def test_nothing_is_left_to_do_the_second_time() -> None:
    fused = fusions.hardswish(convert_version(network(), fusions.OPSET))
    before = fused.SerializeToString()
    assert fusions.hardswish(fused).SerializeToString() == before


@pytest.mark.parametrize(("name", "whole", "left"), [("det", 24, 10), ("rec", 28, 2)])
def test_pp_ocrv4_mobile(name: str, whole: int, left: int) -> None:
    folder = needs.v4_bundle()
    bundle = Bundle.open(folder)
    assert writer.existing(folder, v4_mobile.MANIFEST) == bundle, "another revision made it; make it again"
    found = operators(onnx.load(bundle.onnx(name)))
    assert (found.count("HardSwish"), found.count("HardSigmoid")) == (whole, left)


@pytest.mark.parametrize(("name", "left"), [("det", 13), ("rec", 5)])
def test_pp_ocrv6_small_has_no_pairs_and_keeps_its_opset(name: str, left: int) -> None:
    folder = ROOT / "ppocr" / "bundles" / builtin.NAME / builtin.VERSION
    model = onnx.load(Bundle.open(folder).onnx(name))
    found = operators(model)
    assert (found.count("HardSwish"), found.count("HardSigmoid")) == (0, left)
    assert model.opset_import[0].version == 12
