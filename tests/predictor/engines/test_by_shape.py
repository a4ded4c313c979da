"""A session for each shape, by ONNX Runtime itself, on the CPU: all but the recording of kernels, which needs CUDA."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import onnxruntime as ort
import pytest

from ppocr_api.errors import EngineError, EngineOutOfMemory, PpocrError
from predictor.bundle import Bundle
from predictor.engines import onnxruntime_by_shape
from predictor.engines.base import Capabilities, EngineOptions
from predictor.engines.onnxruntime import ENGINE, _translated
from predictor.engines.onnxruntime_by_shape import Exclusion, NetworkByShape, Place, Shape
from tests.predictor.engines.conftest import facts

Opened = list[tuple[Shape, bool]]
#: A full batch has 16 of the smallest lines.
CPU = Capabilities("onnxruntime", "CPU", "f32", 2, 16 * 48 * 32, by_size=True, fills_batches=True)


def by_shape(
    bundle: Bundle, name: str, before: Callable[[Shape, bool], None] = lambda shape, recorded: None
) -> tuple[NetworkByShape, Opened]:
    opened: Opened = []

    def open_session(shape: Shape, recorded: bool) -> ort.InferenceSession:
        before(shape, recorded)
        opened.append((shape, recorded))
        return ort.InferenceSession(str(bundle.onnx(name)), providers=["CPUExecutionProvider"])

    return NetworkByShape(facts(bundle, name), open_session, _translated, CPU, Place("cpu", 0)), opened


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("rec", [(1, 48, 96, 3), (5, 48, 96, 3), (3, 48, 160, 3), (1, 48, 96, 3)]),
        ("det", [(1, 64, 96, 3), (2, 64, 96, 3)]),
    ],
)
def test_the_answers_are_those_of_one_session(v6: Bundle, name: str, shapes: list[Shape]) -> None:
    one, (many, _) = ENGINE.load(v6, facts(v6, name), EngineOptions(device="cpu")), by_shape(v6, name)
    for shape in shapes:
        given = pixels(*shape)
        for expected, answer in zip(one.infer(given), many.infer(given), strict=True):
            assert answer.shape == expected.shape
            np.testing.assert_allclose(answer, expected, atol=1e-5 if answer.dtype.kind == "f" else 1)


def test_lines_are_filled_up_to_few_batches_and_pages_are_not(v6: Bundle) -> None:
    lines, opened = by_shape(v6, "rec")
    for count in (1, 4, 5, 16):
        assert len(lines.infer(pixels(count, 48, 32, 3))[0]) == count
    assert len(lines.infer(pixels(17, 48, 32, 3))[0]) == 17
    assert [shape[0] for shape, _ in opened] == [4, 16, 32]
    pages, opened = by_shape(v6, "det")
    pages.infer(pixels(2, 32, 32, 3))
    assert opened[0][0][0] == 2


def test_of_many_shapes_the_ones_used_last_are_kept(v6: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime_by_shape, "MAX_SESSIONS", 2)
    network, opened = by_shape(v6, "rec")
    for width in (32, 64, 32, 96, 32, 64):
        network.infer(pixels(4, 48, width, 3))
    assert [shape[2] for shape, _ in opened] == [32, 64, 96, 64]


def test_without_memory_the_shapes_not_used_for_longest_are_given_back(v6: Bundle) -> None:
    fails = [0]

    def before(shape: Shape, recorded: bool) -> None:
        if shape[2] == 160 and fails[0]:
            fails[0] -= 1
            raise MemoryError

    network, opened = by_shape(v6, "rec", before)
    for width in (32, 64, 96):
        network.infer(pixels(4, 48, width, 3))
    fails[0] = 1
    assert len(network.infer(pixels(4, 48, 160, 3))[0]) == 4
    network.infer(pixels(4, 48, 96, 3))
    network.infer(pixels(4, 48, 32, 3))
    assert [shape[2] for shape, _ in opened] == [32, 64, 96, 160, 32]
    network.close()
    fails[0] = 2
    with pytest.raises(EngineOutOfMemory):
        network.infer(pixels(4, 48, 160, 3))


def test_a_network_that_cant_be_recorded_runs_without(v6: Bundle) -> None:
    def before(shape: Shape, recorded: bool) -> None:
        if recorded:
            raise RuntimeError("This session cannot use the graph capture feature as requested by the user")

    network, opened = by_shape(v6, "rec", before)
    network.infer(pixels(4, 48, 32, 3))
    network.infer(pixels(4, 48, 64, 3))
    assert [recorded for _, recorded in opened] == [False, False]


def test_an_error_of_the_library_is_one_of_the_tree(v6: Bundle) -> None:
    def before(shape: Shape, recorded: bool) -> None:
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : something in /a/file")

    network, _ = by_shape(v6, "rec", before)
    with pytest.raises(EngineError) as caught:
        network.infer(pixels(4, 48, 32, 3))
    assert "/a/file" not in str(caught.value)


def test_threads_get_their_own_answers(v6: Bundle) -> None:
    network, opened = by_shape(v6, "rec")
    given = [pixels(1, 48, width, 3) + np.uint8(index) for width in (32, 64) for index in range(4)]
    expected = [network.infer(each) for each in given]
    wrong: list[int | PpocrError] = []

    def ask(index: int) -> None:
        try:
            for _ in range(10):
                answers = network.infer(given[index])
                if any(not np.array_equal(a, b) for a, b in zip(answers, expected[index], strict=True)):
                    wrong.append(index)
        except PpocrError as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(given))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert len(opened) == 2


def test_a_recording_runs_alone() -> None:
    exclusion, events = Exclusion(), []
    inside = threading.Event()

    def run() -> None:
        with exclusion.running():
            events.append("runs")
            inside.set()
            time.sleep(0.1)
            events.append("ran")

    def record() -> None:
        inside.wait(5)
        with exclusion.recording():
            events.append("records")
            time.sleep(0.1)
            events.append("recorded")

    def run_later() -> None:
        inside.wait(5)
        time.sleep(0.05)
        with exclusion.running():
            events.append("runs later")

    threads = [threading.Thread(target=each) for each in (run, record, run_later)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert events == ["runs", "ran", "records", "recorded", "runs later"]
