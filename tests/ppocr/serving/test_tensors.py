"""The V2 codec: what goes in comes out, and everything a caller can get wrong is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from ppocr import oip
from ppocr.serving import tensors, v2_grpc, v2_rest
from ppocr.serving.tensors import TensorRequest, TensorResponse, bytes_array
from ppocr_api.errors import InvalidRequest

ARRAYS = {name: np.arange(6).reshape(2, 3).astype(dtype) for name, dtype in tensors.DTYPES.items() if name != "BYTES"}
ARRAYS["BYTES"] = bytes_array([b"", b"\xff\xd8\xff", "ü".encode()]).reshape(3, 1)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tolist() == other.tolist()


@pytest.mark.parametrize("datatype", ARRAYS)
def test_raw_bytes_of_every_datatype_come_back(datatype: str) -> None:
    array = ARRAYS[datatype]
    assert same(tensors.from_raw("x", datatype, list(array.shape), tensors.to_raw(array)), array)


@pytest.mark.parametrize("datatype", ARRAYS)
def test_a_grpc_request_with_raw_contents_is_read(datatype: str) -> None:
    message = tensors.request_to_grpc("ppocr", {"x": ARRAYS[datatype]}, "7")
    request = v2_grpc.from_grpc(type(message).FromString(message.SerializeToString()))
    assert same(request.inputs["x"], ARRAYS[datatype])
    assert (request.model_name, request.model_version) == ("ppocr", "7")


@pytest.mark.parametrize(
    ("datatype", "field", "values"),
    [
        ("UINT8", "uint_contents", [1, 255]),
        ("INT32", "int_contents", [-1, 2]),
        ("FP32", "fp32_contents", [0.5, -2.0]),
        ("BYTES", "bytes_contents", [b"a", b"\xff"]),
        ("BOOL", "bool_contents", [True, False]),
    ],
)
def test_a_grpc_request_with_typed_contents_is_read(datatype: str, field: str, values: list[Any]) -> None:
    message = oip.ModelInferRequest(model_name="m")
    tensor = message.inputs.add(name="x", datatype=datatype, shape=[2])
    getattr(tensor.contents, field).extend(values)
    assert v2_grpc.from_grpc(message).inputs["x"].tolist() == values


def test_grpc_parameters_of_all_kinds_are_read() -> None:
    message = oip.ModelInferRequest(model_name="m")
    message.parameters["f"].double_param = 0.25
    message.parameters["i"].int64_param = 3
    message.parameters["b"].bool_param = True
    message.parameters["s"].string_param = "max"
    assert v2_grpc.from_grpc(message).parameters == {"f": 0.25, "i": 3, "b": True, "s": "max"}


def _grpc(datatype: str = "UINT8", shape: tuple[int, ...] = (2,), raw: tuple[bytes, ...] = (b"ab",)) -> Any:
    message = oip.ModelInferRequest(model_name="m")
    message.inputs.add(name="x", datatype=datatype, shape=shape)
    message.raw_input_contents.extend(raw)
    return message


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (_grpc(raw=(b"abc",)), r"has 3 bytes, and its shape \[2\] of UINT8 needs 2"),
        (_grpc(raw=(b"ab", b"c")), "there are 1 inputs and 2 raw contents"),
        (_grpc(datatype="FP8"), "datatype 'FP8'; known are"),
        (_grpc(shape=(-1,)), "integers from 0 up"),
        (_grpc(shape=(2**30, 2**30)), "too large"),
        (_grpc(datatype="BYTES", raw=(b"\x05\x00\x00\x00ab",)), "says 5 bytes, and 2 follow"),
        (_grpc(datatype="BYTES", raw=(b"\x01\x00\x00\x00a",)), "ends after 1 of its 2"),
        (_grpc(datatype="BYTES", shape=(1,), raw=(b"\x01\x00\x00\x00abc",)), "2 bytes after its last element"),
        (_grpc(raw=()), r"0 elements in uint_contents"),
    ],
)
def test_a_wrong_grpc_tensor_is_refused_with_the_reason(message: Any, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        v2_grpc.from_grpc(message)


def test_integers_that_do_not_fit_are_refused() -> None:
    message = oip.ModelInferRequest(model_name="m")
    message.inputs.add(name="x", datatype="UINT8", shape=[1]).contents.uint_contents.append(256)
    with pytest.raises(InvalidRequest, match="holds 256, outside of 0 to 255"):
        v2_grpc.from_grpc(message)


def _rest(inputs: Any, tail: bytes = b"", **more: Any) -> TensorRequest:
    head = orjson.dumps({"inputs": inputs, **more})
    headers = {v2_rest.LENGTH_HEADER: str(len(head))} if tail else {}
    return v2_rest.decode(head + tail, headers, "m")


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        ({"datatype": "INT32", "shape": [2], "data": [1, -2]}, [1, -2]),
        ({"datatype": "FP32", "shape": [2, 1], "data": [[1], [2.5]]}, [[1.0], [2.5]]),
        ({"datatype": "BYTES", "shape": [1], "data": ["YQ=="]}, [b"YQ=="]),
        ({"datatype": "BYTES", "shape": [1, 1], "data": [["YQ=="]]}, [[b"YQ=="]]),
        ({"datatype": "BOOL", "shape": [1], "data": [True]}, [True]),
    ],
)
def test_json_tensors_are_read_flat_and_nested(tensor: dict[str, Any], expected: list[Any]) -> None:
    request = _rest([{"name": "x", **tensor}])
    assert request.inputs["x"].tolist() == expected
    assert request.json_inputs == {"x"}


def test_binary_tensors_are_read_in_their_order_without_a_copy() -> None:
    inputs = [
        {"name": "a", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 6}},
        {"name": "b", "datatype": "UINT8", "shape": [3], "parameters": {"binary_data_size": 3}},
    ]
    head = orjson.dumps({"inputs": inputs})
    body = head + b"\x02\x00\x00\x00\xff\xfe" + b"abc"
    request = v2_rest.decode(body, {v2_rest.LENGTH_HEADER: str(len(head))}, "m")
    assert request.inputs["a"].tolist() == [b"\xff\xfe"]
    assert request.inputs["b"].tolist() == [97, 98, 99]
    assert np.shares_memory(request.inputs["b"], np.frombuffer(body, np.uint8))


@pytest.mark.parametrize(
    ("inputs", "tail", "says"),
    [
        ({}, b"", "'inputs' must be a list"),
        ([{"datatype": "INT32"}], b"", "needs a name of its own"),
        ([{"name": "x", "datatype": "INT32", "shape": [1]}], b"", "neither 'data' nor"),
        ([{"name": "x", "datatype": "INT32", "shape": [3], "data": [1]}], b"", "has 1 elements, and its shape"),
        ([{"name": "x", "datatype": "INT32", "shape": [1], "data": ["a"]}], b"", "must be INT32 numbers"),
        ([{"name": "x", "datatype": "INT32", "shape": [1], "data": [1.5]}], b"", "no integers"),
        ([{"name": "x", "datatype": "INT32", "shape": [2], "data": [[1], [2, 3]]}], b"", "flat or nested evenly"),
        ([{"name": "x", "datatype": "BYTES", "shape": [1], "data": [1]}], b"", "must be strings"),
        ([{"name": "x", "datatype": "BYTES", "shape": [1], "data": "a"}], b"", "must be a list"),
        ([{"name": "x", "datatype": "INT32", "shape": "1", "data": [1]}], b"", "must be a list of at most 8"),
        ([{"name": "x", "datatype": "UINT8", "shape": [9], "parameters": {"binary_data_size": 9}}], b"ab", "2 follow"),
        ([], b"ab", "2 bytes follow the last tensor"),
    ],
)
def test_a_wrong_rest_tensor_is_refused_with_the_reason(inputs: Any, tail: bytes, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        _rest(inputs, tail)


@pytest.mark.parametrize("length", ["x", "-1", "99999"])
def test_a_wrong_header_length_is_refused(length: str) -> None:
    with pytest.raises(InvalidRequest, match="Inference-Header-Content-Length"):
        v2_rest.decode(b"{}", {v2_rest.LENGTH_HEADER: length}, "m")


def test_json_that_is_none_and_json_too_deep_are_refused() -> None:
    for body in (b"{", b"", b"\xff", b"[" * 100_000, b"[]", b"1"):
        with pytest.raises(InvalidRequest):
            v2_rest.decode(body, {}, "m")


RESPONSE = TensorResponse(
    "m", {"text": bytes_array([b"a", "ü".encode()]), "n": np.array([1.5, 2], np.float32)}, model_version="1", id="7"
)


def test_an_answer_is_json_by_default() -> None:
    body, headers = v2_rest.encode(RESPONSE, _rest([]))
    message = orjson.loads(body)
    assert headers == {"content-type": "application/json"}
    assert (message["model_name"], message["model_version"], message["id"]) == ("m", "1", "7")
    assert [output["data"] for output in message["outputs"]] == [["a", "ü"], [1.5, 2.0]]


def test_an_answer_is_binary_where_asked_for_and_holds_the_chosen_outputs() -> None:
    request = _rest([], outputs=[{"name": "text", "parameters": {"binary_data": True}}])
    body, headers = v2_rest.encode(RESPONSE, request)
    cut = int(headers[v2_rest.LENGTH_HEADER])
    (output,) = orjson.loads(body[:cut])["outputs"]
    assert output["name"] == "text"
    assert body[cut:] == b"\x01\x00\x00\x00a\x02\x00\x00\x00" + "ü".encode()
    assert output["parameters"] == {"binary_data_size": len(body) - cut}


def test_all_outputs_are_binary_with_binary_data_output() -> None:
    body, headers = v2_rest.encode(RESPONSE, _rest([], parameters={"binary_data_output": True}))
    outputs = orjson.loads(body[: int(headers[v2_rest.LENGTH_HEADER])])["outputs"]
    assert all("binary_data_size" in output["parameters"] for output in outputs)


def test_an_output_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no output is named 'nope'; there are text, n"):
        v2_rest.encode(RESPONSE, _rest([], outputs=[{"name": "nope"}]))
