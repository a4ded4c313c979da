"""Networks as V2 tensors: both ways give what went in, and tensors that are none of it are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ppocr.contract import IDENTITY_PARAMETER, LINE_ORIENTATION, PAGE_ORIENTATION, Answer, Items, NetworkFacts
from ppocr.network_wire import ragged
from ppocr.serving.tensors import TensorRequest, TensorResponse
from ppocr.serving.v2_grpc import to_grpc
from ppocr_api.errors import BadAnswer, InvalidRequest
from ppocr_convert import builtin, network_facts
from ppocr_convert.normalisations import HALF
from predictor.network_tensors import items_of, metadata, outputs_of
from transformer.network_tensors import answer_of, inputs_of

DET, REC = network_facts.detection(HALF), network_facts.recognition(HALF)
PAGES = network_facts.orientation(PAGE_ORIENTATION, builtin.PAGE_FIT)
LINES = network_facts.orientation(LINE_ORIENTATION, builtin.LINE_FIT)
NETWORKS = (DET, REC, PAGES, LINES)
IDENTITY = "small/1@0123456789ab"
RNG = np.random.default_rng(1)


def items(*sizes: tuple[int, int]) -> Items:
    count = sum(height * width * 3 for height, width in sizes)
    return Items(RNG.integers(0, 256, count, np.uint8), np.array(sizes, np.int32).reshape(-1, 2))


def request(inputs: Mapping[str, NDArray[Any]]) -> TensorRequest:
    return TensorRequest("det", dict(inputs))


def response(outputs: Mapping[str, NDArray[Any]], identity: str = IDENTITY) -> Any:
    """The predictor's message."""
    return to_grpc(TensorResponse("det", dict(outputs), parameters={IDENTITY_PARAMETER: identity} if identity else {}))


def answer(network: NetworkFacts, counts: list[int]) -> Answer:
    """Random outputs of so many elements an item."""
    types = {"UINT8": np.uint8, "INT32": np.int32, "FP32": np.float32}
    outputs = {
        output.name: RNG.integers(0, 100, sum(counts)).astype(types[output.datatype]) for output in network.outputs
    }
    return Answer(outputs, np.array(counts, np.int32), IDENTITY)


ASKED = [
    (DET, items((64, 96)), [64 * 96]),
    (DET, items((64, 96), (64, 96)), [64 * 96] * 2),
    (REC, items((48, 32), (48, 64), (48, 64)), [4, 8, 8]),
    (REC, items((48, 320)), [40]),
    (LINES, items(*[(48, 192)] * 5), [1] * 5),
    (PAGES, items((224, 224)), [1]),
]


@pytest.mark.parametrize(("network", "asked", "counts"), ASKED)
def test_what_goes_in_comes_out(network: NetworkFacts, asked: Items, counts: list[int]) -> None:
    sent = request(inputs_of(network, asked))
    received = items_of(network, sent)
    np.testing.assert_array_equal(received.pixels, asked.pixels)
    np.testing.assert_array_equal(received.sizes, asked.sizes)
    assert np.shares_memory(received.pixels, asked.pixels), "the pixels are not copied"
    computed = answer(network, counts)
    found = answer_of(network, asked, response(outputs_of(network, sent, received, computed)))
    assert found.version == IDENTITY
    np.testing.assert_array_equal(found.counts, computed.counts)
    for name, values in computed.outputs.items():
        np.testing.assert_array_equal(found.outputs[name], values)
        assert found.outputs[name].dtype == values.dtype


@pytest.mark.parametrize(("network", "asked", "counts"), ASKED)
def test_metadata_lists_the_tensors_that_are_sent(network: NetworkFacts, asked: Items, counts: list[int]) -> None:
    inputs, outputs = metadata(network)
    sent = inputs_of(network, asked)
    answered = outputs_of(network, request(sent), asked, answer(network, counts))
    for listed, tensors in ((inputs, sent), (outputs, answered)):
        assert {tensor["name"] for tensor in listed} == set(tensors)
        for tensor in listed:
            shape = tensors[tensor["name"]].shape
            assert len(shape) == len(tensor["shape"])
            assert all(known in (-1, size) for known, size in zip(tensor["shape"], shape, strict=True))


def test_det_and_rec_are_on_the_wire_what_they_were() -> None:
    """What a transformer of the last release asks, and what it reads."""
    assert {name: array.shape for name, array in inputs_of(DET, items((64, 96))).items()} == {"image": (1, 64, 96, 3)}
    lines = inputs_of(REC, items((48, 32), (48, 64)))
    assert {name: (array.dtype.name, array.shape) for name, array in lines.items()} == {
        "pixels": ("uint8", (48 * 96 * 3,)),
        "widths": ("int32", (2,)),
    }
    answered = outputs_of(REC, request(lines), items((48, 32), (48, 64)), answer(REC, [4, 8]))
    assert {name: array.shape for name, array in answered.items()} == {
        **{"ids": (12,), "probabilities": (12,), "steps": (2,)}
    }


def test_lines_of_one_width_may_come_as_images() -> None:
    lines = RNG.integers(0, 256, (3, 48, 64, 3), np.uint8)
    sent = request({"lines": lines})
    received = items_of(REC, sent)
    np.testing.assert_array_equal(received.pixels, lines.reshape(-1))
    assert received.sizes.tolist() == [[48, 64]] * 3
    answered = outputs_of(REC, sent, received, answer(REC, [8] * 3))
    assert {name: array.shape for name, array in answered.items()} == {"ids": (3, 8), "probabilities": (3, 8)}


def test_only_lines_are_ragged() -> None:
    assert [ragged(network) for network in NETWORKS] == [False, True, False, False]


def test_pages_of_different_sizes_are_no_request() -> None:
    for network, asked in ((DET, items((64, 96), (96, 64))), (DET, items()), (PAGES, items())):
        with pytest.raises(InvalidRequest, match="takes items of a single size"):
            inputs_of(network, asked)


def pixels(*shape: int, dtype: Any = np.uint8) -> NDArray[Any]:
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("network", "inputs"),
    [
        (DET, {}),
        (DET, {"picture": pixels(1, 64, 64, 3)}),
        (DET, {"image": pixels(64, 64, 3)}),
        (DET, {"image": pixels(0, 64, 64, 3)}),
        (DET, {"image": pixels(1, 64, 64, 4)}),
        (DET, {"image": pixels(1, 64, 65, 3)}),
        (DET, {"image": pixels(1, 64, 4032, 3)}),
        (DET, {"image": pixels(1, 64, 64, 3, dtype=np.float32)}),
        (PAGES, {"pages": pixels(1, 224, 192, 3)}),
        (LINES, {"pixels": pixels(48 * 192 * 3), "widths": pixels(1, dtype=np.int32)}),
        (REC, {"pixels": pixels(48 * 32 * 3)}),
        (REC, {"widths": pixels(1, dtype=np.int32)}),
        (REC, {"pixels": pixels(48 * 32 * 3), "widths": pixels(1, dtype=np.float32)}),
        (REC, {"pixels": pixels(1, 48 * 32 * 3), "widths": pixels(1, dtype=np.int32)}),
        (REC, {"lines": pixels(1, 32, 64, 3)}),
        (REC, {"lines": pixels(1, 48, 3, 64)}),
    ],
)
def test_other_tensors_are_refused(network: NetworkFacts, inputs: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(InvalidRequest):
        items_of(network, request(inputs))


@pytest.mark.parametrize(
    ("network", "asked", "outputs"),
    [
        (DET, items((64, 96)), {}),
        (DET, items((64, 96)), {"probability": pixels(1, 64, 96, dtype=np.float32)}),
        (DET, items((64, 96), (64, 96)), {"probability": pixels(3)}),
        (DET, items((64, 96)), {"probability": pixels(1, 64, 48)}),
        (DET, items((64, 96)), {"probability": pixels(64, 96)}),
        (DET, items((64, 96)), {"probability": pixels(1, 96, 64)}),
        (DET, items((64, 96)), {"probability": pixels()}),
        (DET, items((64, 96)), {"probability": pixels(1, 0, 0)}),
        (DET, items((64, 96)), {"probability": pixels(0, 64, 96)}),
        (LINES, items((48, 192)), {"label": pixels(1, dtype=np.int32)}),
        (LINES, items((48, 192)), {"label": pixels(1, dtype=np.int32), "probability": pixels(2, dtype=np.float32)}),
    ],
)
def test_other_answers_are_the_predictors_fault(
    network: NetworkFacts, asked: Items, outputs: dict[str, NDArray[Any]]
) -> None:
    with pytest.raises(BadAnswer):
        answer_of(network, asked, response(outputs))


@pytest.mark.parametrize("steps", [[4], [4, 9], [13, -1], [4, 8, 0]])
def test_steps_that_dont_fit_are_the_predictors_fault(steps: list[int]) -> None:
    computed = answer(REC, [4, 8])
    with pytest.raises(BadAnswer, match="doesn't fit"):
        answer_of(REC, items((48, 32), (48, 64)), response({**computed.outputs, "steps": np.array(steps, np.int32)}))


def test_an_answer_without_a_version_is_no_predictors() -> None:
    computed = answer(LINES, [1])
    with pytest.raises(BadAnswer, match="is it a ppocr predictor"):
        answer_of(LINES, items((48, 192)), response(computed.outputs, identity=""))


def test_messages_that_cant_be_read_are_the_predictors_fault() -> None:
    whole = response({"label": np.zeros(1, np.int32), "probability": np.zeros(1, np.float32)})
    for spoil in (
        lambda message: message.raw_output_contents.pop(),
        lambda message: message.raw_output_contents.append(b"more"),
        lambda message: message.raw_output_contents.__setitem__(0, b"abc"),
        lambda message: message.outputs[0].shape.append(2**31),
        lambda message: setattr(message.outputs[0], "datatype", "COMPLEX"),
    ):
        message = type(whole)()
        message.CopyFrom(whole)
        spoil(message)
        with pytest.raises(BadAnswer, match="can't be read"):
            answer_of(LINES, items((48, 192)), message)
