"""All engines read the same, whatever they run on and however lines are put together."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from predictor.bundle import Bundle
from predictor.engines.base import EngineName, EngineOptions, Network
from predictor.engines.choice import choose
from tests import needs
from tests.predictor import receipts, third_network
from tests.predictor.engines.conftest import facts


def load(bundle: Bundle, network: str, engine: EngineName, precision: str = "f32", streams: int = 1) -> Network:
    if importlib.util.find_spec(engine) is None:
        needs.missing(engine)
    chosen, options = choose(engine, EngineOptions(device="cpu", precision=precision, threads=1, streams=streams))  # type: ignore[arg-type]
    return chosen.load(bundle, facts(bundle, network), options)


def texts(bundle: Bundle, lines: list[np.ndarray], engine: EngineName, precision: str = "f32") -> list[str]:
    network = load(bundle, "rec", engine, precision)
    labels = facts(bundle, "rec").labels
    read = [receipts.decoded(ids, labels) for group in lines for ids in network.infer(group)[0]]
    network.close()
    return read


def test_v6_reads_the_same_on_openvino_and_onnxruntime(v6: Bundle, lines: list[np.ndarray]) -> None:
    read = texts(v6, lines, "openvino")
    assert len(read) > 20
    assert any("TOTAL" in text.upper() for text in read)
    assert texts(v6, lines, "onnxruntime") == read


def test_v4_reads_the_same_on_all_engines(v4: Bundle, lines: list[np.ndarray]) -> None:
    read = texts(v4, lines, "paddle")
    assert any("TOTAL" in text.upper() for text in read)
    assert texts(v4, lines, "openvino") == read
    assert texts(v4, lines, "onnxruntime") == read


def test_the_cpus_own_precision_reads_nearly_the_same(v6: Bundle, lines: list[np.ndarray]) -> None:
    exact, fast = texts(v6, lines, "openvino"), texts(v6, lines, "openvino", "auto")
    assert sum(one != other for one, other in zip(exact, fast, strict=True)) <= len(exact) // 20


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_probability_maps_agree(v6: Bundle, page: np.ndarray, engine: EngineName) -> None:
    reference = load(v6, "det", "onnxruntime").infer(page)[0]
    (found,) = load(v6, "det", engine).infer(page)
    assert found.shape == page.shape[:3]
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - reference).max() <= 1
    assert found.max() > 250


def test_v4s_probability_maps_agree_with_paddles(v4: Bundle, page: np.ndarray) -> None:
    (reference,) = load(v4, "det", "paddle").infer(page)
    for engine in ("openvino", "onnxruntime"):
        (found,) = load(v4, "det", engine).infer(page)
        assert np.abs(found.astype(int) - reference).max() <= 2


def test_v4s_class_probabilities_agree_with_paddles(v4: Bundle, lines: list[np.ndarray]) -> None:
    networks = [load(v4, "rec", engine) for engine in ("paddle", "openvino", "onnxruntime")]
    for group in lines[:4]:
        (ids, expected), *others = (network.infer(group) for network in networks)
        for other_ids, probabilities in others:
            same = other_ids == ids
            assert same.mean() > 0.999
            np.testing.assert_allclose(probabilities[same], expected[same], atol=2e-3)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "paddle", "paddle of PIR"])
def test_a_classifier_says_the_same_on_all_engines(v6: Bundle, tmp_path: Path, engine: str) -> None:
    files = None
    if engine.startswith("paddle"):
        if importlib.util.find_spec("paddle") is None:
            needs.missing("paddle")
        (tmp_path / "paddle").mkdir()
        files = third_network.in_paddles_format(tmp_path / "paddle", pir="PIR" in engine)
        assert any(name.endswith(".json" if "PIR" in engine else ".pdmodel") for name in files)
    bundle = Bundle.open(third_network.put(tmp_path, "1", v6, ("cls",), files))
    network = load(bundle, "cls", engine.partition(" ")[0])  # type: ignore[arg-type]
    labels, probabilities = network.infer(third_network.thumbnails(0, 1, 1, 0))
    assert labels.tolist() == [0, 1, 1, 0]
    assert probabilities.shape == (4,)
    np.testing.assert_allclose(probabilities, third_network.probabilities(0, 1, 1, 0), atol=1e-4)
    network.close()


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("precision", ["f32", "auto"])
def test_a_line_reads_the_same_alone_and_in_a_batch(
    v6: Bundle, lines: list[np.ndarray], engine: EngineName, precision: str
) -> None:
    network = load(v6, "rec", engine, precision)
    largest = max(lines, key=len)
    batch = np.concatenate([largest] * 8)[:8]
    together, _ = network.infer(batch)
    for line, ids in zip(batch, together, strict=True):
        (alone,), _ = network.infer(line[None])
        np.testing.assert_array_equal(alone, ids)
