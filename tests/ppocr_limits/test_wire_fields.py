"""What is no message, or too much of one, is refused before it is parsed; what clients send passes."""

from __future__ import annotations

import gc
import time

import numpy as np
import pytest

from ppocr import oip
from ppocr.serving import tensors
from ppocr_api.errors import InvalidRequest
from ppocr_limits import wire_fields

REQUEST = oip.ModelInferRequest.DESCRIPTOR


def check(raw: bytes) -> None:
    wire_fields.check_message(raw, REQUEST)


def test_a_request_with_an_image_passes_at_once() -> None:
    array = np.zeros(50_000_000, np.uint8)
    raw = tensors.request_to_grpc("det", {"pixels": array}, "1").SerializeToString()
    began = time.perf_counter()
    check(raw)
    assert time.perf_counter() - began < 0.05


def test_every_member_passes() -> None:
    message = oip.ModelInferRequest(model_name="m", model_version="2", id="7")
    tensor = message.inputs.add(name="x", datatype="INT32", shape=[2, 3])
    tensor.contents.int_contents.extend([-1, 2**31 - 1])
    tensor.contents.fp32_contents.append(0.5)
    tensor.parameters["binary"].bool_param = True
    message.parameters["d"].double_param = 0.25
    message.parameters["i"].int64_param = -1
    message.outputs.add(name="text")
    check(message.SerializeToString())


@pytest.mark.parametrize(
    "raw",
    [
        b"\x2a\x00" * 100_000,  # inputs, all empty
        b"\x3a\x00" * 100_000,  # raw contents, all empty
        b"\x22\x00" * 100_000,  # parameters, all empty
        b"\xf8\x3f\x00" * 100_000,  # a field that the type doesn't have
    ],
)
def test_a_message_of_too_many_fields(raw: bytes) -> None:
    with pytest.raises(InvalidRequest, match="more than 20000 fields"):
        check(raw)


def test_empty_elements_of_one_tensor() -> None:
    message = oip.ModelInferRequest()
    message.inputs.add(name="image", datatype="BYTES", shape=[50_000]).contents.bytes_contents.extend([b""] * 50_000)
    with pytest.raises(InvalidRequest, match="more than 20000 fields"):
        check(message.SerializeToString())


def test_more_numbers_than_may_come_one_by_one() -> None:
    message = oip.ModelInferRequest()
    message.inputs.add(name="x", datatype="UINT8", shape=[4_000_001]).contents.uint_contents.extend([1] * 4_000_001)
    raw = message.SerializeToString()
    del message
    gc.collect()
    with pytest.raises(InvalidRequest, match="raw contents"):
        check(raw)


@pytest.mark.parametrize("raw", [b"\xff" * 100, b"\x2a\x7f", b"\x0b", b"\x80", b"\x09\x00", b"\x2a\x02\xff\xff"])
def test_no_message(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        check(raw)
