"""The rebuilt graphs compute what the originals did: small networks with random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper
from onnx.version_converter import convert_version

from ppocr.contract import Normalisation
from ppocr_api.errors import BundleError
from ppocr_convert import surgery
from tests.ppocr_convert.networks import RNG, det_network, rec_network

NORMALISATIONS = [
    Normalisation("RGB", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    Normalisation("BGR", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
]


def run(network: ModelProto, **inputs: NDArray[Any]) -> list[NDArray[Any]]:
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, inputs))


def normalised(pixels: NDArray[np.uint8], how: Normalisation) -> NDArray[np.float32]:
    ordered = pixels[..., ::-1] if how.channels == "BGR" else pixels
    return ((ordered / 255 - how.mean) / how.std).transpose(0, 3, 1, 2).astype(np.float32)


@pytest.mark.parametrize("how", NORMALISATIONS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_det_gives_the_same_map_in_bytes(how: Normalisation, batch_norm: bool) -> None:
    source = det_network(batch_norm)
    pixels = RNG.integers(0, 256, (2, 32, 64, 3), dtype=np.uint8)
    (expected,) = run(source, x=normalised(pixels, how))
    rebuilt = surgery.det(source, how)
    (found,) = run(rebuilt, image=pixels)
    assert found.dtype == np.uint8
    assert found.shape == (2, 32, 64)
    assert np.abs(found.astype(float) - expected[:, 0] * 255).max() <= 0.51
    assert not [node for node in rebuilt.graph.node if node.op_type == "ConvTranspose"]


@pytest.mark.parametrize("how", NORMALISATIONS)
@pytest.mark.parametrize("classes", [5, 128, 300])
def test_rec_gives_the_best_class_and_its_probability(how: Normalisation, classes: int) -> None:
    source = rec_network(classes)
    pixels = RNG.integers(0, 256, (3, 48, 64, 3), dtype=np.uint8)
    (softmax,) = run(source, x=normalised(pixels, how))
    ids, probabilities = run(surgery.rec(source, how, 48, classes), lines=pixels)
    np.testing.assert_array_equal(ids, softmax.argmax(axis=2))
    np.testing.assert_allclose(probabilities, softmax.max(axis=2), rtol=1e-4)


def test_a_character_set_of_another_size_is_refused() -> None:
    with pytest.raises(BundleError, match="300 classes and its character set 299"):
        surgery.rec(rec_network(300), NORMALISATIONS[0], 48, 299)


def test_another_kind_of_network_is_refused() -> None:
    with pytest.raises(BundleError, match="doesn't end in a sigmoid"):
        surgery.det(rec_network(8), NORMALISATIONS[0])
    with pytest.raises(BundleError, match="doesn't end in a softmax"):
        surgery.rec(det_network(), NORMALISATIONS[0], 48, 8)


def test_equal_sources_give_equal_bytes() -> None:
    source = det_network().SerializeToString()
    first, second = (surgery.det(onnx.load_from_string(source), NORMALISATIONS[1]) for _ in range(2))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


@pytest.mark.parametrize("opset", [13, 17, 18])
def test_networks_of_newer_opsets(opset: int) -> None:
    """Axes are an input there, where older ones have an attribute."""
    pixels = RNG.integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    det, rec = (convert_version(network, opset) for network in (det_network(), rec_network(40)))
    (expected,) = run(det, x=normalised(pixels, NORMALISATIONS[0]))
    (found,) = run(surgery.det(det, NORMALISATIONS[0]), image=pixels)
    assert np.abs(found.astype(float) - expected[:, 0] * 255).max() <= 0.51
    (softmax,) = run(rec, x=normalised(pixels, NORMALISATIONS[0]))
    ids, probabilities = run(surgery.rec(rec, NORMALISATIONS[0], 48, 40), lines=pixels)
    np.testing.assert_array_equal(ids, softmax.argmax(axis=2))
    np.testing.assert_allclose(probabilities, softmax.max(axis=2), rtol=1e-4)


def server_det_network() -> ModelProto:
    """As the servers' models end: the mean of two maps."""
    network = det_network()
    (sigmoid,) = [node for node in network.graph.node if node.op_type == "Sigmoid"]
    sigmoid.output[0] = "first"
    network.graph.node.extend(
        [
            helper.make_node("Neg", ["i2"], ["other"]),
            helper.make_node("Sigmoid", ["other"], ["second"]),
            helper.make_node("Add", ["first", "second"], ["sum"]),
            helper.make_node("Mul", ["sum", "half"], ["y"]),
        ]
    )
    network.graph.initializer.append(numpy_helper.from_array(np.array(0.5, np.float32), "half"))
    return network


def test_det_of_a_server_ends_in_a_mean() -> None:
    source = server_det_network()
    pixels = RNG.integers(0, 256, (1, 32, 64, 3), dtype=np.uint8)
    (expected,) = run(source, x=normalised(pixels, NORMALISATIONS[1]))
    (found,) = run(surgery.det(source, NORMALISATIONS[1]), image=pixels)
    assert np.abs(found.astype(float) - expected[:, 0] * 255).max() <= 0.51


def test_a_sum_that_is_no_probability_is_refused() -> None:
    source = server_det_network()
    source.graph.initializer[-1].CopyFrom(numpy_helper.from_array(np.array(0.7, np.float32), "half"))
    with pytest.raises(BundleError, match="doesn't end in a sigmoid"):
        surgery.det(source, NORMALISATIONS[1])
